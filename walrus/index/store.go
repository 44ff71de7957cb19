package index

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"
	"time"
)

// Store is the Index over an engine.
//
// What a change depends on is read and written under the locks of its bucket
// and key. Where the engine shows changes before they are durable, an object is
// read under its lock too, and whoever acts on anything else that he read asks
// Durable first. Buckets are written rarely and read always: where nobody else
// changes the store they are kept in memory, decoded.
type Store struct {
	engine engine
	mu     sync.Mutex
	seq    uint64
	known  sync.Map // *Bucket by name; only of a sole engine
	bounds sync.Map // Usage by account, likewise
	added  sync.Map // *atomic.Int64 by bucket: additions to its count since they were last summed up

	rollups rollups // only of a sole engine
}

var _ Index = (*Store)(nil)

func newStore(ctx context.Context, e engine) (*Store, error) {
	s := &Store{engine: e}
	if err := s.renew(ctx); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	if err := s.resume(ctx); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	return s, nil
}

// Close ends the index; what was acknowledged is durable without it.
func (s *Store) Close() error { return s.engine.close() }

// Identity returns the name that was given to the store, "" for a new one.
func (s *Store) Identity(ctx context.Context) (string, error) {
	b, err := s.engine.get(ctx, identityRow)
	return string(b), err
}

// Identify gives decide the name of the store, and the store the name that it
// returns. Nobody else does so meanwhile.
func (s *Store) Identify(ctx context.Context, decide func(old string) (string, error)) error {
	return s.change(ctx, scope{locks: []lock{{kind: keyLock, name: string(identityRow)}}}, func(c *change) error {
		old, err := c.get(ctx, identityRow)
		if err != nil {
			return err
		}
		name, err := decide(string(old))
		c.set(identityRow, []byte(name))
		c.idle = name == string(old)
		return err
	})
}

// Shared reports that other processes may use the store too.
func (s *Store) Shared() bool { return s.engine.process() > 0 }

// resume makes the next number higher than all in the outbox, of which there
// are few.
func (s *Store) resume(ctx context.Context) error {
	for _, kind := range []byte{lineSpace, eventSpace} {
		err := scan(ctx, s.engine, []byte{kind}, nil, func(rest, _ []byte) (bool, error) {
			if kind == eventSpace {
				rest = rest[bytes.IndexByte(rest, 0)+1:]
			}
			seq, err := number(rest)
			s.seq = max(s.seq, seq)
			return true, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// next returns a number that is higher than all before, also before a restart
// unless the clock went back; for the outbox resume sees to that. No other
// process makes the same.
func (s *Store) next() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := func(n uint64) uint64 { return n/processes*processes + s.engine.process() }
	s.seq = max(mine(s.seq)+processes, mine(uint64(time.Now().UnixNano())))
	return s.seq
}

// heed makes the next number higher than one that may be another process's.
func (s *Store) heed(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq = max(s.seq, seq)
}

// A change is a transaction that is being put together.
type change struct {
	transaction
	store  *Store
	bucket *Bucket // that it is within; nil for the store's own
	free   []Piece
	count  Usage // what it adds to the bucket's
	event  *Event
	seq    uint64 // the number of the event
	idle   bool   // there is nothing to commit

	showing *showing // nil: the same objects are there as before
	lazily  bool
}

// A scope is what a change is made within.
type scope struct {
	bucket string   // "": of none
	alone  bool     // it is a change of the bucket itself
	ahead  [][]byte // rows that will be read
	locks  []lock   // beside the bucket's
}

// change makes a change: do puts it together, and what it put together is
// committed when do does not fail. It is done again when that fails by chance.
func (s *Store) change(ctx context.Context, in scope, do func(*change) error) error {
	if in.bucket != "" {
		in.locks = append(in.locks, lock{kind: bucketLock, shared: !in.alone, name: in.bucket})
		if s.engine.process() > 0 {
			in.ahead = append(in.ahead, bucketRow(in.bucket))
		}
	}
	return s.retry(ctx, func() error {
		t, err := s.engine.begin(ctx, in.ahead, in.locks...)
		if err != nil {
			return err
		}
		c := &change{transaction: t, store: s}
		defer c.end()
		if in.bucket != "" && !in.alone {
			if c.bucket, err = s.held(ctx, t, in.bucket); err != nil {
				return err
			}
		}
		if err := do(c); err != nil || c.idle {
			return err
		}
		return c.commit(ctx)
	})
}

// tries is how often a change is tried that fails by chance.
const tries = 10

// retry does what may be done again until it does not fail by chance.
func (s *Store) retry(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if err == nil || try == tries || ctx.Err() != nil || !s.engine.again(err) {
			return err
		}
	}
}

// claim makes holder claim a piece, and keeps the bytes that come with it.
func (c *change) claim(p Piece, holder string) {
	c.set(claim(p.ID, holder), nil)
	if p.Inline && p.Data != nil {
		b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(p.Data)), crc32.Checksum(p.Data, castagnoli))
		c.set(inlineRow(p.ID), append(b, p.Data...))
	}
}

// disclaim ends a claim; the mill is told.
func (c *change) disclaim(p Piece, holder string) {
	c.unset(claim(p.ID, holder))
	c.free = append(c.free, Piece{ID: p.ID, Size: p.Size, Inline: p.Inline})
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// commit makes the change durable, all of it or nothing, and ends it.
func (c *change) commit(ctx context.Context) error {
	if err := c.fits(ctx); err != nil {
		return err
	}
	if len(c.free) > 0 {
		if err := c.setJSON(numberedRow(lineSpace, c.store.next()), Line{Free: c.free}); err != nil {
			return err
		}
	}
	if err := c.post(); err != nil {
		return err
	}
	if err := c.apply(ctx); err != nil {
		return err
	}
	c.end()
	if c.count != (Usage{}) {
		c.store.summed(ctx, c.bucket.Name)
	}
	return nil
}

// apply makes the change, and sees to it that what is remembered of listings
// is never behind it.
func (c *change) apply(ctx context.Context) error {
	if c.showing != nil && c.store.engine.process() == 0 {
		defer c.store.rollups.begin(c.bucket.Name, c.showing)()
	}
	return c.transaction.commit(ctx, c.lazily)
}

// Inline is Objects's.
func (s *Store) Inline(ctx context.Context, piece string) ([]byte, error) {
	b, err := s.engine.get(ctx, inlineRow(piece))
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, Moved
	}
	return sound(piece, b)
}

// sound returns the bytes of an inline piece if they are what was put.
func sound(piece string, b []byte) ([]byte, error) {
	if len(b) < 4 || binary.BigEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli) {
		return nil, Damaged.Because(fmt.Errorf("inline piece %s: wrong checksum", piece))
	}
	return b[4:], nil
}

// now is the time of a condition.
func (when Condition) now() time.Time {
	if when.Now.IsZero() {
		return time.Now().UTC()
	}
	return when.Now
}

// check holds a condition against the object that there is, nil for none.
func (when Condition) check(old *version) error {
	there := old != nil && !old.Marker
	switch {
	case when.IfNoneMatch && there:
		return PreconditionFailed
	case when.IfMatch != "" && !there:
		return NoSuchKey
	case when.IfMatch != "" && when.IfMatch != "*" && when.IfMatch != old.ETag:
		return PreconditionFailed
	}
	return nil
}

// locked is Locked when the version may not be ended.
func (when Condition) locked(o *Object) error {
	r := o.Retention
	switch {
	case o.Hold:
		return Locked
	case r == nil, !r.Until.After(when.now()):
		return nil
	case r.Mode == Governance && when.Bypass:
		return nil
	}
	return Locked
}

// tell adds to c what is to be told of o, if anyone listens.
func (c *change) tell(when Condition, o *Object) {
	if when.Event == nil {
		return
	}
	e := *when.Event
	if e.Address != nil {
		e.Targets = e.Address(o)
	}
	if len(e.Targets) == 0 {
		return
	}
	e.Bucket, e.Key, e.ETag, e.Size = o.Bucket, o.Key, o.ETag, o.Size
	if e.Version = o.Version; c.bucket.Versioning == "" {
		e.Version = ""
	}
	if e.Time.IsZero() {
		e.Time = cmp.Or(o.Modified, when.now())
	}
	c.event = &e
}
