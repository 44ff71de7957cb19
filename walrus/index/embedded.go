package index

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Embedded is the Index of one machine, in an ordered key-value store. One
// process may have it open at a time.
//
// What a change depends on is read and written under the locks of its bucket
// and key, which are held until the batch is durable; batches of other keys
// commit beside it and share its sync. The engine shows a batch to readers
// before it is durable, so an object is read under its lock too, and whoever
// acts on anything else that he read asks Durable first.
type Embedded struct {
	db      *pebble.DB
	buckets rwStripes // shared by changes within a bucket, alone for its end
	keys    stripes
	uploads rwStripes // shared by parts, alone for the upload's end
	mu      sync.Mutex
	seq     uint64
	pending atomic.Int64 // commits that can be read and may not be on disk
	close   func() error
}

var _ Index = (*Embedded)(nil)

// Options are what an embedded index is told.
type Options struct {
	FS    vfs.FS // the disk when nil; tests give their own
	Cache int64  // bytes of memory for blocks; 32 MiB when zero
	Log   *slog.Logger
}

// Open opens the index in the folder dir and makes it if need be.
func Open(dir string, o Options) (*Embedded, error) {
	po := &pebble.Options{
		FS:                 cmp.Or[vfs.FS](o.FS, vfs.Default),
		CacheSize:          cmp.Or(o.Cache, 32<<20),
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       8 << 20,
		Logger:             logger{cmp.Or(o.Log, slog.Default())},
	}
	for i := range po.Levels {
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(dir, po)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	e := &Embedded{db: db, close: sync.OnceValue(db.Close)}
	if err := e.resume(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return e, nil
}

// Close ends the index; what was acknowledged is durable without it.
func (e *Embedded) Close() error { return e.close() }

// Identity returns the name that was given to the store, "" for a new one.
func (e *Embedded) Identity() (string, error) {
	b, err := e.get(identityRow)
	return string(b), err
}

// SetIdentity gives the store a name that it keeps.
func (e *Embedded) SetIdentity(ctx context.Context, id string) error {
	c := e.change()
	c.set(identityRow, []byte(id))
	return e.commit(ctx, c)
}

// resume makes the next number of the outbox higher than all there are.
func (e *Embedded) resume() error {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{lineSpace}, UpperBound: []byte{lineSpace + 1}})
	if err != nil {
		return fmt.Errorf("open index: %w", err)
	}
	defer it.Close()
	if it.Last() {
		e.seq = binary.BigEndian.Uint64(it.Key()[1:])
	}
	return it.Error()
}

// next returns a number that is higher than all before, also before a restart
// unless the clock went back; for lines resume sees to that.
func (e *Embedded) next() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq = max(e.seq+1, uint64(time.Now().UnixNano()))
	return e.seq
}

// get returns a copy of a value; nil when there is none.
func (e *Embedded) get(key []byte) ([]byte, error) {
	v, c, err := e.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	defer c.Close()
	return append([]byte{}, v...), nil
}

func (e *Embedded) getJSON(key []byte, missing error, into any) error {
	b, err := e.get(key)
	if err != nil {
		return err
	}
	if b == nil {
		return missing
	}
	if err := json.Unmarshal(b, into); err != nil {
		return Damaged.Because(err)
	}
	return nil
}

// scan calls f for each pair whose key begins with prefix; f returns false to end it.
func (e *Embedded) scan(ctx context.Context, prefix []byte, f func(rest, value []byte) (bool, error)) error {
	it, err := e.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return fmt.Errorf("scan index: %w", err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("scan index: %w", err)
		}
		if more, err := f(it.Key()[len(prefix):], v); err != nil || !more {
			return err
		}
	}
	return it.Error()
}

// A change is a batch that is being put together.
type change struct {
	*pebble.Batch
	err  error
	free []Piece
}

func (e *Embedded) change() *change { return &change{Batch: e.db.NewBatch()} }

func (c *change) set(key, value []byte) {
	c.err = cmp.Or(c.err, c.Batch.Set(key, value, nil))
}

func (c *change) setJSON(key []byte, v any) {
	b, err := json.Marshal(v)
	c.err = cmp.Or(c.err, err)
	c.set(key, b)
}

func (c *change) unset(key []byte) {
	c.err = cmp.Or(c.err, c.Batch.Delete(key, nil))
}

// claim makes holder claim a piece, and keeps the bytes that come with it.
func (c *change) claim(p Piece, holder string) {
	c.set(claim(p.ID, holder), nil)
	if p.Inline && p.Data != nil {
		b := binary.BigEndian.AppendUint32(nil, crc32.Checksum(p.Data, castagnoli))
		c.set(inlineRow(p.ID), append(b, p.Data...))
	}
}

// disclaim ends a claim; the mill is told.
func (c *change) disclaim(p Piece, holder string) {
	c.unset(claim(p.ID, holder))
	c.free = append(c.free, Piece{ID: p.ID, Size: p.Size, Inline: p.Inline})
}

// Durable is Outbox's. The log is one: what is written behind a change and
// synced takes the change with it.
func (e *Embedded) Durable(context.Context) error {
	if e.pending.Load() == 0 {
		return nil
	}
	if err := e.db.LogData(nil, pebble.Sync); err != nil {
		return fmt.Errorf("sync index: %w", err)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// commit makes the change durable, all of it or nothing.
func (e *Embedded) commit(ctx context.Context, c *change) error {
	return e.apply(ctx, c, pebble.Sync)
}

func (e *Embedded) apply(ctx context.Context, c *change, how *pebble.WriteOptions) error {
	defer c.Close()
	if len(c.free) > 0 {
		c.setJSON(lineRow(e.next()), Line{Free: c.free})
	}
	if err := cmp.Or(c.err, ctx.Err()); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	e.pending.Add(1)
	defer e.pending.Add(-1)
	if err := c.Commit(how); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}

// Inline is Objects's.
func (e *Embedded) Inline(_ context.Context, piece string) ([]byte, error) {
	b, err := e.get(inlineRow(piece))
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, Moved
	}
	if len(b) < 4 || binary.BigEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli) {
		return nil, Damaged.Because(fmt.Errorf("inline piece %s: wrong checksum", piece))
	}
	return b[4:], nil
}

// logger hands the engine's words to slog.
type logger struct{ log *slog.Logger }

func (l logger) Infof(format string, args ...any) {
	l.log.Debug("index: " + fmt.Sprintf(format, args...))
}

func (l logger) Errorf(format string, args ...any) {
	l.log.Error("index: " + fmt.Sprintf(format, args...))
}

// Fatalf ends the process: the engine could not write its log, and what it
// then has in memory must not be served. The next start reads what is on disk.
func (l logger) Fatalf(format string, args ...any) {
	l.log.Error("index: " + fmt.Sprintf(format, args...))
	os.Exit(1)
}

// OpenInMemory opens an index that is gone when it is closed.
func OpenInMemory() (*Embedded, error) { return Open("", Options{FS: vfs.NewMem()}) }
