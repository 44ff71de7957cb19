// Package keep holds the loops of a blockstore: volumes, exports, freezes,
// snapshots and the sweep, each one switch over what is wanted and what is there.
//
// The orders say what is wanted. A volume or snapshot that they do not name is
// left as it is; only Gone ends one. An export that they do not name is ended,
// for an export list is whole; but only once orders were accepted at all.
//
// Three things must hold whatever crashes:
//
//   - No two nodes can write to a volume. An epoch is granted in a record before
//     it is served, only when the one before has ended, and never again.
//   - Nobody writes to a frozen layer. The layers are read and the volume is
//     served, or a layer is put on top and the writes are sent there, by one hand
//     at a time for each volume (turn).
//   - No snapshot changes. A layer is merged only when every snapshot that is
//     read from it, or from what lies below, is whole or gone: snapshots of one
//     volume are put one after the other.
package keep

import (
	"context"
	"sync"
	"time"

	"karri/blockstore/chunk"
	"karri/blockstore/export"
	"karri/blockstore/store"
	"karri/blockstore/volume"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/pki"
	"karri/shared/wire"
)

// Keeper is what the loops share. Set all fields that have a name before use.
type Keeper struct {
	Zone   string
	Orders func() (wire.BlockOrders, uint64) // what was last accepted, and its generation
	Store  *store.Store
	Disk   volume.Engine
	Export export.Exporter
	Chunks *chunk.Store
	Drafts string // folder for how far uploads have come
	Listen string // host that nodes reach exports at
	Now    func() time.Time
	Grace  time.Duration // how long a piece without a name is kept
	Nudge  func()        // called after each step; may be nil

	turns    turns
	sweeping sync.RWMutex // held for reading while pieces are put
	percents sync.Map     // id.Snapshot -> int
}

// step is a step of a loop that also tells the reporter.
func step[T any](k *Keeper, name string, do func(ctx context.Context, t T) error) *life.Step[T] {
	return &life.Step[T]{Name: name, Do: func(ctx context.Context, t T) error {
		err := do(ctx, t)
		if k.Nudge != nil {
			k.Nudge()
		}
		return err
	}}
}

func (k *Keeper) peer(node string) string {
	return pki.Identity{Role: pki.Nodectl, Zone: k.Zone, Name: node}.String()
}

const gib = 1 << 30

// turns lets one hand at a time at each volume's stack of layers.
type turns struct {
	mu  sync.Mutex
	all map[id.Volume]*sync.Mutex
}

// take waits for the turn at a volume and returns what gives it up.
func (t *turns) take(v id.Volume) (release func()) {
	t.mu.Lock()
	if t.all == nil {
		t.all = map[id.Volume]*sync.Mutex{}
	}
	m := t.all[v]
	if m == nil {
		m = &sync.Mutex{}
		t.all[v] = m
	}
	t.mu.Unlock()
	m.Lock()
	return m.Unlock
}

// union collects ids without doubles.
type union[T ~string] struct {
	has  map[T]bool
	list []string
}

func (u *union[T]) add(id T) {
	if u.has == nil {
		u.has = map[T]bool{}
	}
	if !u.has[id] {
		u.has[id] = true
		u.list = append(u.list, string(id))
	}
}
