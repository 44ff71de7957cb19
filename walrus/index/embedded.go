package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// embedded is the engine of one machine. One process may have it open at a
// time. It shows a batch to readers before it is durable; the locks of a
// transaction are held until then, and batches beside it share its sync.
type embedded struct {
	db      *pebble.DB
	locks   *stripes
	pending atomic.Int64 // commits that can be read and may not be on disk
	end     func() error
}

// Options are what an embedded index is told.
type Options struct {
	FS    vfs.FS // the disk when nil; tests give their own
	Cache int64  // bytes of memory for blocks; 32 MiB when zero
	Log   *slog.Logger
}

// Open opens the index in the folder dir and makes it if need be. Rows of older
// forms are written anew first.
func Open(dir string, o Options) (*Store, error) {
	po := &pebble.Options{
		FS:                 cmp.Or[vfs.FS](o.FS, vfs.Default),
		CacheSize:          cmp.Or(o.Cache, 32<<20),
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       8 << 20,
		Logger:             logger{cmp.Or(o.Log, slog.Default())},
	}
	// The engine would end the process; who reads is told, and the rest goes on.
	po.EventListener = &pebble.EventListener{DataCorruption: func(i pebble.DataCorruptionInfo) { po.Logger.Errorf("%s is damaged", i.Path) }}
	for i := range po.Levels {
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	if err := endsTruly(po.FS, dir); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	db, err := pebble.Open(dir, po)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	s, err := newStore(context.Background(), &embedded{db: db, locks: newStripes(), end: sync.OnceValue(func() error { return end(db) })})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// end leaves nothing in the log: the engine takes damage at a log's end for a
// write that a crash has torn, but sees every flipped bit of a table.
func end(db *pebble.DB) error { return errors.Join(db.Flush(), db.Close()) }

// OpenInMemory opens an index that is gone when it is closed.
func OpenInMemory() (*Store, error) { return Open("", Options{FS: vfs.NewMem()}) }

func (e *embedded) close() error { return e.end() }

func (e *embedded) process() uint64 { return 0 }

func (e *embedded) again(error) bool { return false }

func (e *embedded) get(_ context.Context, key []byte) ([]byte, error) { return getFrom(e.db, key) }

func (e *embedded) cursor(ctx context.Context, low, high []byte) (cursor, error) {
	return cursorOf(ctx, e.db, low, high)
}

func getFrom(r pebble.Reader, key []byte) ([]byte, error) {
	v, c, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	defer c.Close()
	return append(make([]byte, 0, len(v)), v...), nil
}

func cursorOf(ctx context.Context, r pebble.Reader, low, high []byte) (cursor, error) {
	it, err := r.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: low, UpperBound: high})
	if err != nil {
		return nil, fmt.Errorf("scan index: %w", err)
	}
	return iterator{it}, nil
}

type iterator struct{ *pebble.Iterator }

func (i iterator) seek(key []byte) bool   { return i.SeekGE(key) }
func (i iterator) next() bool             { return i.Next() }
func (i iterator) key() []byte            { return i.Key() }
func (i iterator) value() ([]byte, error) { return i.ValueAndErr() }

func (i iterator) close() error {
	if err := i.Close(); err != nil {
		return fmt.Errorf("scan index: %w", err)
	}
	return nil
}

// A moment is a snapshot of the engine.
type moment struct{ *pebble.Snapshot }

func (e *embedded) snapshot(context.Context) (reader, func(), error) {
	s := e.db.NewSnapshot()
	return moment{s}, func() { _ = s.Close() }, nil // it only says that it is closed already
}

func (m moment) get(_ context.Context, key []byte) ([]byte, error) { return getFrom(m.Snapshot, key) }

func (m moment) cursor(ctx context.Context, low, high []byte) (cursor, error) {
	return cursorOf(ctx, m.Snapshot, low, high)
}

func (e *embedded) begin(_ context.Context, _ [][]byte, locks ...lock) (transaction, error) {
	return &batch{embedded: e, b: e.db.NewBatch(), held: e.locks.takeAll(locks)}, nil
}

func (e *embedded) settle(l lock) func() {
	l.shared = true
	g := e.locks.grip(l)
	e.locks.take(g)
	return func() { e.locks.release(g) }
}

// durable: the log is one; what is written behind a change and synced takes the
// change with it.
func (e *embedded) durable(context.Context) error {
	if e.pending.Load() == 0 {
		return nil
	}
	if err := e.db.LogData(nil, pebble.Sync); err != nil {
		return fmt.Errorf("sync index: %w", err)
	}
	return nil
}

// A batch is a transaction of the embedded engine.
type batch struct {
	*embedded
	b    *pebble.Batch
	held []grip
	err  error
	over bool
}

func (t *batch) lock(_ context.Context, l lock) error {
	g := t.locks.grip(l)
	t.locks.take(g)
	t.held = append(t.held, g)
	return nil
}

func (t *batch) set(key, value []byte) { t.err = cmp.Or(t.err, t.b.Set(key, value, nil)) }

func (t *batch) unset(key []byte) { t.err = cmp.Or(t.err, t.b.Delete(key, nil)) }

// add relies on the engine's own merging, which appends.
func (t *batch) add(key, value []byte) { t.err = cmp.Or(t.err, t.b.Merge(key, value, nil)) }

func (t *batch) commit(ctx context.Context, lazily bool) error {
	if err := cmp.Or(t.err, ctx.Err()); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	how := pebble.Sync
	if lazily {
		how = pebble.NoSync
	}
	t.pending.Add(1)
	defer t.pending.Add(-1)
	if err := t.b.Commit(how); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}

func (t *batch) end() {
	if t.over {
		return
	}
	t.over = true
	_ = t.b.Close() // it only goes back to its pool
	for _, g := range t.held {
		t.locks.release(g)
	}
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
