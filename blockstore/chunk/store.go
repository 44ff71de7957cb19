package chunk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/id"
)

// Store is the snapshots of one zone in walrus, and the reader of all zones'.
type Store struct {
	Walrus   bucket.Store
	Zone     string
	Parallel int   // pieces on their way at once; 1 when zero
	Piece    int64 // size of the pieces of new snapshots, a power of two; Size when zero
}

func (s *Store) piece() int64 {
	if s.Piece == 0 {
		return Size
	}
	return s.Piece
}

// Bucket names where a zone keeps its snapshots.
func Bucket(zone string) string { return bucket.SystemPrefix + "snapshots-" + zone }

const (
	piecePrefix    = "chunk/"
	manifestPrefix = "snapshot/"
)

func pieceKey(h Hash) string           { return piecePrefix + h.String() }
func manifestKey(s id.Snapshot) string { return manifestPrefix + string(s) }

// Damaged is the fault of a piece whose bytes are not those that it is named by.
var Damaged = fault.New(fault.Broken, "SnapshotDamaged", "A piece of the snapshot is damaged.")

// Put stores a piece unless it is there, and names it. A piece of zeros is
// neither stored nor named.
func (s *Store) Put(ctx context.Context, p []byte) (*Hash, error) {
	if zeros(p) {
		return nil, nil
	}
	sum := Hash(sha256.Sum256(p))
	o, err := s.Walrus.Head(ctx, Bucket(s.Zone), pieceKey(sum))
	if err == nil && o.Size == int64(len(p)) {
		return &sum, nil
	}
	if err != nil && fault.KindOf(err) != fault.Missing {
		return nil, err
	}
	return &sum, s.put(ctx, pieceKey(sum), p)
}

// put stores an object, in a bucket that it makes with the zone's first one.
func (s *Store) put(ctx context.Context, key string, b []byte) error {
	_, err := s.Walrus.Put(ctx, Bucket(s.Zone), key, bytes.NewReader(b), int64(len(b)))
	if fault.CodeOf(err) != bucket.NoSuchBucket.Code {
		return err
	}
	if err := s.Walrus.Make(ctx, Bucket(s.Zone)); err != nil {
		return err
	}
	_, err = s.Walrus.Put(ctx, Bucket(s.Zone), key, bytes.NewReader(b), int64(len(b)))
	return err
}

var zeroBlock [64 << 10]byte

func zeros(p []byte) bool {
	for len(p) > 0 {
		n := min(len(p), len(zeroBlock))
		if !bytes.Equal(p[:n], zeroBlock[:n]) {
			return false
		}
		p = p[n:]
	}
	return true
}

// Get reads a piece of a zone's snapshots into p, which has its length.
func (s *Store) Get(ctx context.Context, zone string, h Hash, p []byte) error {
	r, _, err := s.Walrus.Get(ctx, Bucket(zone), pieceKey(h), 0, -1)
	if err != nil {
		return fmt.Errorf("piece %s: %w", h, err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, p); err != nil {
		return fmt.Errorf("piece %s: %w", h, err)
	}
	if sha256.Sum256(p) != h {
		return Damaged.Because(fmt.Errorf("piece %s of zone %s", h, zone))
	}
	return nil
}

// PutManifest makes the snapshot: every piece that it names must be there.
func (s *Store) PutManifest(ctx context.Context, snap id.Snapshot, m *Manifest) error {
	b, err := m.Encode()
	if err != nil {
		return err
	}
	return s.put(ctx, manifestKey(snap), b)
}

// Manifest reads a snapshot of a zone; fault kind Missing when it is not there.
func (s *Store) Manifest(ctx context.Context, zone string, snap id.Snapshot) (*Manifest, error) {
	r, _, err := s.Walrus.Get(ctx, Bucket(zone), manifestKey(snap), 0, -1)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", snap, err)
	}
	defer r.Close()
	m, err := Decode(r)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", snap, err)
	}
	return m, nil
}

// Has tells whether the snapshot is whole.
func (s *Store) Has(ctx context.Context, snap id.Snapshot) (bool, error) {
	_, err := s.Walrus.Head(ctx, Bucket(s.Zone), manifestKey(snap))
	if err != nil && fault.KindOf(err) == fault.Missing {
		return false, nil
	}
	return err == nil, err
}

// Remove ends the snapshot; its pieces are left to Sweep.
func (s *Store) Remove(ctx context.Context, snap id.Snapshot) error {
	err := s.Walrus.Delete(ctx, Bucket(s.Zone), manifestKey(snap))
	if err != nil && fault.KindOf(err) == fault.Missing {
		return nil // no snapshot was ever kept here
	}
	return err
}

// Sweep removes the pieces that no manifest names and that are older than a
// time, and returns how many it removed and how many were too young. No
// snapshot may be in the making: its pieces have no manifest yet. A manifest
// that cannot be read ends the sweep, for nobody knows what it names.
func (s *Store) Sweep(ctx context.Context, before time.Time) (removed, young int, err error) {
	named := map[Hash]bool{}
	err = s.each(ctx, manifestPrefix, func(o bucket.Object) error {
		m, err := s.Manifest(ctx, s.Zone, id.Snapshot(o.Key[len(manifestPrefix):]))
		if err != nil {
			return err
		}
		for _, p := range m.Pieces {
			named[p.Hash] = true
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	err = s.each(ctx, piecePrefix, func(o bucket.Object) error {
		var h Hash
		if h.UnmarshalText([]byte(o.Key[len(piecePrefix):])) == nil && named[h] {
			return nil
		}
		if !o.Modified.Before(before) {
			young++
			return nil
		}
		removed++
		return s.Walrus.Delete(ctx, Bucket(s.Zone), o.Key)
	})
	return removed, young, err
}

// each calls do for every object under a prefix.
func (s *Store) each(ctx context.Context, prefix string, do func(bucket.Object) error) error {
	for after := ""; ; {
		page, err := s.Walrus.List(ctx, Bucket(s.Zone), prefix, after, 0)
		if fault.CodeOf(err) == bucket.NoSuchBucket.Code {
			return nil
		}
		if err != nil {
			return err
		}
		for _, o := range page.Objects {
			if err := do(o); err != nil {
				return err
			}
			after = o.Key
		}
		if !page.More || len(page.Objects) == 0 {
			return nil
		}
	}
}
