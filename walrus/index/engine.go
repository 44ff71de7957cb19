package index

import (
	"context"
	"encoding/json"
	"fmt"
)

// An engine is a store of keys and values in the order of the keys' bytes.
type engine interface {
	reader
	// begin waits for the locks; the transaction holds them until it ends. The
	// values of the keys in ahead will be asked for.
	begin(ctx context.Context, ahead [][]byte, locks ...lock) (transaction, error)
	// snapshot returns a reader that sees one state of the store.
	snapshot(ctx context.Context) (r reader, release func(), err error)
	// settle keeps changes of what the lock is for away until release is called,
	// when the engine shows changes before they are durable.
	settle(l lock) (release func())
	// durable returns when what was read before is on disk.
	durable(ctx context.Context) error
	// process is a number below processes that no other open engine on the same
	// store has; 0 when nobody else changes the store.
	process() uint64
	// again reports that what failed so may be tried again at once: nothing was
	// changed, and nothing but chance was the reason.
	again(err error) bool
	close() error
}

type reader interface {
	// get returns nil when there is none.
	get(ctx context.Context, key []byte) ([]byte, error)
	// cursor reads the keys from low up to but not high.
	cursor(ctx context.Context, low, high []byte) (cursor, error)
}

// A transaction's writes are seen by nobody before commit, also not by its own
// reads. Writing fails at commit.
type transaction interface {
	reader
	// lock takes one more lock; it must come behind those that are held.
	lock(ctx context.Context, l lock) error
	set(key, value []byte)
	unset(key []byte)
	// add puts value beside the others that were added under key, without
	// reading them: scanning what begins with key shows them all, one by one or
	// one behind the other.
	add(key, value []byte)
	// commit makes all of it durable, or nothing. Lazily, it may take its time.
	commit(ctx context.Context, lazily bool) error
	// end releases the locks; without a commit before nothing has changed.
	end()
}

// A cursor stands on a pair or at the end. What it shows is gone when it moves.
type cursor interface {
	// seek goes to the first key at or behind key.
	seek(key []byte) bool
	next() bool
	key() []byte
	value() ([]byte, error)
	// close returns the error that ended the reading.
	close() error
}

// A lock is what must not change at once, by name.
type lock struct {
	kind   lockKind
	shared bool
	name   string
}

// Kinds of locks, in the order in which they are taken.
type lockKind uint8

const (
	bucketLock lockKind = iota // shared by changes within a bucket, alone for those of itself
	uploadLock                 // shared by parts, alone for the upload's end
	keyLock
	quotaLock
	accountLock
	lockKinds
)

// processes is how many engines may share a store.
const processes = 1 << 10

func keyName(bucket, key string) string { return bucket + "\x00" + key }

func getJSON(ctx context.Context, r reader, key []byte, missing error, into any) error {
	b, err := r.get(ctx, key)
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

// scan calls f for each pair whose key begins with prefix, from the one at or
// behind prefix+from on; f returns false to end it.
func scan(ctx context.Context, r reader, prefix, from []byte, f func(rest, value []byte) (bool, error)) (err error) {
	c, err := r.cursor(ctx, prefix, after(prefix))
	if err != nil {
		return err
	}
	defer func() {
		if e := c.close(); err == nil {
			err = e
		}
	}()
	start := append(append(make([]byte, 0, len(prefix)+len(from)), prefix...), from...)
	for ok := c.seek(start); ok; ok = c.next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		v, err := c.value()
		if err != nil {
			return fmt.Errorf("scan index: %w", err)
		}
		if more, err := f(c.key()[len(prefix):], v); err != nil || !more {
			return err
		}
	}
	return nil
}
