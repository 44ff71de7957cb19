package chunk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sync/errgroup"

	"karri/blockstore/volume"
	"karri/shared/crash"
	"karri/shared/durable"
	"karri/shared/id"
)

// batch is the number of pieces between two saves of how far a copy has come.
const batch = 128

// A Source is what is to be kept of a volume.
type Source struct {
	Volume id.Volume
	Frozen volume.Frozen
	// Parent is the manifest of the volume as it was when layer Since was
	// frozen; nil: there is none, and all is read.
	Parent *Manifest
	Since  int
}

// Progress tells how far a copy has come. Its answer, when not nil, ends it.
type Progress func(done, all int) error

// Upload puts the pieces of a source and returns the manifest, which it does
// not put. How far it has come is kept in the file draft, so that a copy that
// was cut off goes on where it was.
func (s *Store) Upload(ctx context.Context, src Source, draft string, report Progress) (*Manifest, error) {
	m := &Manifest{Version: 1, Volume: src.Volume, Size: src.Frozen.Size(), Piece: s.piece()}
	if src.Parent == nil || src.Parent.Size > m.Size || src.Parent.Piece != m.Piece {
		src.Parent, src.Since = &Manifest{}, -1
	}
	todo := pieces(src.Frozen.Changed(src.Since), m.Piece)
	anew, err := readDraft(draft, src.Since)
	if err != nil {
		return nil, err
	}
	left := make([]int64, 0, len(todo))
	for _, i := range todo {
		if _, done := anew[i]; !done {
			left = append(left, i)
		}
	}
	if err := report(len(todo)-len(left), len(todo)); err != nil {
		return nil, err
	}
	for len(left) > 0 {
		now := left[:min(batch, len(left))]
		hashes := make([]*Hash, len(now))
		err := s.together(ctx, len(now), func(ctx context.Context, n int) error {
			off, size := m.at(now[n])
			p := make([]byte, size)
			if _, err := src.Frozen.ReadAt(p, off); err != nil && err != io.EOF {
				return err
			}
			var err error
			hashes[n], err = s.Put(ctx, p)
			return err
		})
		if err != nil {
			return nil, err
		}
		for n, i := range now {
			anew[i] = hashes[n]
		}
		crash.Here("blockstore.chunk.put")
		if err := writeDraft(draft, src.Since, anew); err != nil {
			return nil, err
		}
		left = left[len(now):]
		if err := report(len(todo)-len(left), len(todo)); err != nil {
			return nil, err
		}
	}
	m.Pieces = inherit(src.Parent.Pieces, anew, todo)
	return m, nil
}

// draftFile is the form of an upload's draft.
type draftFile struct {
	Since int             `json:"since"`
	Done  map[int64]*Hash `json:"done"`
}

// readDraft returns what an earlier try has put, if it was for the same increment.
func readDraft(path string, since int) (map[int64]*Hash, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[int64]*Hash{}, nil
	}
	if err != nil {
		return nil, err
	}
	var d draftFile
	if json.Unmarshal(b, &d) != nil || d.Since != since || d.Done == nil {
		return map[int64]*Hash{}, nil // it only saves time
	}
	return d.Done, nil
}

func writeDraft(path string, since int, done map[int64]*Hash) error {
	b, err := json.Marshal(draftFile{since, done})
	if err != nil {
		return err
	}
	return durable.WriteFile(path, b, 0o600)
}

// Fill writes the pieces that m, a snapshot of a zone, names into a draft of
// at least its size, each checked. It goes on where the draft was left.
func (s *Store) Fill(ctx context.Context, zone string, m *Manifest, d volume.Draft, report Progress) error {
	for at := min(d.Filled(), len(m.Pieces)); at < len(m.Pieces); {
		if err := report(at, len(m.Pieces)); err != nil {
			return err
		}
		now := m.Pieces[at:min(at+batch, len(m.Pieces))]
		err := s.together(ctx, len(now), func(ctx context.Context, n int) error {
			off, size := m.at(now[n].Index)
			p := make([]byte, size)
			if err := s.Get(ctx, zone, now[n].Hash, p); err != nil {
				return err
			}
			_, err := d.WriteAt(p, off)
			return err
		})
		if err != nil {
			return err
		}
		at += len(now)
		if err := d.Save(at); err != nil {
			return err
		}
	}
	return nil
}

// together does n things, so many at once as the store may.
func (s *Store) together(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	if s.Parallel <= 1 {
		for i := range n {
			if err := do(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.Parallel)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}
