// Package keep brings what users wish about in the zones, and writes down what
// must be remembered of what the zones see. One file per kind of thing.
//
// A link tells one daemon of a zone the whole list of wishes and asks for the
// whole list of what it sees; the keepers compare records with the latest
// report and write what is durable: that an instance ran, that it is gone and
// all it held was given back, the epoch of an attachment. Wishes are written
// by actions; a keeper changes a wish only where the world did, when a guest
// shuts itself down or an instance cannot be had.
//
// A thing that is wished gone stays in the orders until it is reported gone:
// silence never frees anything. Every step is one transaction, so a crash
// leaves the record before or after it, and the next look goes on from there.
package keep

import (
	"context"
	"log/slog"
	"time"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/bucket"
	"karri/shared/life"
)

// Listed is how long a terminated instance stays in the list.
const Listed = time.Hour

// A Keeper has the loops of all kinds of things.
type Keeper struct {
	Store   *store.Store
	Reports *report.Latest
	Clock   func() time.Time
	Buckets bucket.Store
	Bounds  Bounds
	Log     *slog.Logger
	Every   time.Duration // a full pass; the runner's own when zero
	Wrote   func()        // told after each change of a record: wakes the links

	pass        func() // tests crash here, before and after each commit
	instances   life.Runner[instance]
	volumes     life.Runner[volume]
	attachments life.Runner[attachment]
	snapshots   life.Runner[snapshot]
	images      life.Runner[image]
	shares      life.Runner[share]
}

// Nudge wakes all loops.
func (k *Keeper) Nudge() {
	k.instances.Nudge()
	k.volumes.Nudge()
	k.attachments.Nudge()
	k.snapshots.Nudge()
	k.images.Nudge()
	k.shares.Nudge()
}

// Loops returns the loops by name, each to be run until its context ends.
func (k *Keeper) Loops() map[string]func(context.Context) {
	return map[string]func(context.Context){
		"instances":   prepare(k, &k.instances, k.Instances()),
		"volumes":     prepare(k, &k.volumes, k.Volumes()),
		"attachments": prepare(k, &k.attachments, k.Attachments()),
		"snapshots":   prepare(k, &k.snapshots, k.Snapshots()),
		"images":      prepare(k, &k.images, k.Images()),
		"shares":      prepare(k, &k.shares, k.Shares()),
		"sweeps":      k.sweeps,
	}
}

func prepare[T any](k *Keeper, r *life.Runner[T], kind life.Kind[T]) func(context.Context) {
	r.Kind, r.Log, r.Every = kind, k.Log, k.Every
	return r.Run
}

// Status returns what the loop of a kind ("i", "vol", "snap", "ami", or
// "attachment") last did with the thing of that name.
func (k *Keeper) Status(kind, name string) (life.Status, bool) {
	switch kind {
	case "i":
		return k.instances.Status(name)
	case "vol":
		return k.volumes.Status(name)
	case "snap":
		return k.snapshots.Status(name)
	case "ami":
		return k.images.Status(name)
	}
	return k.attachments.Status(name)
}

// write runs one step's transaction and wakes the links when it is committed.
func (k *Keeper) write(ctx context.Context, do func(tx *store.Tx) error) error {
	k.point()
	err := k.Store.InTx(ctx, do)
	k.point()
	if err == nil && k.Wrote != nil {
		k.Wrote()
	}
	return err
}

func (k *Keeper) point() {
	if k.pass != nil {
		k.pass()
	}
}

// list returns a List over the ids that read finds.
func list[R any](k *Keeper, read func(tx *store.Tx) ([]R, error), name func(*R) string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var ids []string
		err := k.Store.View(ctx, func(tx *store.Tx) error {
			rows, err := read(tx)
			for i := range rows {
				ids = append(ids, name(&rows[i]))
			}
			return err
		})
		return ids, err
	}
}
