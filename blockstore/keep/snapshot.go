package keep

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"karri/blockstore/chunk"
	"karri/blockstore/store"
	"karri/blockstore/volume"
	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// aSnapshot is all that is known of a snapshot that was frozen.
type aSnapshot struct {
	id    id.Snapshot
	order *wire.Snapshot // nil: no order names it
	row   *store.Snapshot
	older []store.Snapshot // of its volume, and unfinished
	seen  volume.Seen      // the volume
}

// Snapshots is the loop that brings frozen volumes to walrus, thaws them, and
// removes snapshots.
func (k *Keeper) Snapshots() life.Kind[aSnapshot] {
	return life.Kind[aSnapshot]{Name: "snapshot", List: k.listSnapshots, Look: k.lookSnapshot, Next: k.nextSnapshot}
}

func (k *Keeper) listSnapshots(ctx context.Context) ([]string, error) {
	rows, err := k.Store.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	var all union[id.Snapshot]
	for _, row := range rows {
		all.add(row.ID) // the older first
	}
	orders, _ := k.Orders()
	for s := range orders.Snapshots {
		all.add(s)
	}
	return all.list, nil
}

func (k *Keeper) lookSnapshot(ctx context.Context, name string) (t aSnapshot, err error) {
	t.id = id.Snapshot(name)
	orders, _ := k.Orders()
	if o, ok := orders.Snapshots[t.id]; ok {
		t.order = &o
	}
	if t.row, err = k.Store.Snapshot(ctx, t.id); err != nil || t.row == nil || !t.row.Unfinished() {
		return t, err
	}
	rows, err := k.Store.Unfinished(ctx, t.row.Volume)
	if err != nil {
		return t, err
	}
	for _, row := range rows {
		if row.Layer < t.row.Layer {
			t.older = append(t.older, row)
		}
	}
	t.seen, err = k.Disk.Seen(ctx, t.row.Volume)
	return t, err
}

func (t aSnapshot) going() bool { return t.order != nil && t.order.Want == wire.Gone }

func (k *Keeper) nextSnapshot(t aSnapshot) *life.Step[aSnapshot] {
	switch {
	case t.row == nil && t.going():
		return step(k, "remove the unknown", k.removeUnknown)
	case t.row == nil:
		return nil // to be frozen first
	case t.row.State == store.Gone && t.order == nil:
		return step(k, "forget", func(ctx context.Context, t aSnapshot) error { return k.Store.ForgetSnapshot(ctx, t.id) })
	case t.row.State == store.Gone:
		return nil
	case t.going() && t.row.State != store.Leaving:
		return step(k, "remove", k.removeSnapshot)
	case t.row.State == store.Freezing || !t.row.Unfinished():
		return nil
	case t.row.State == store.Frozen && !t.seen.Exists():
		return step(k, "give up", func(ctx context.Context, t aSnapshot) error {
			return k.giveUp(ctx, t.id, t.row.Volume, t.row)
		})
	case len(t.older) > 0:
		return life.Wait[aSnapshot]("waits for %s, the one before it", t.older[0].ID)
	case t.row.State == store.Frozen:
		return step(k, "put", k.putSnapshot)
	case len(t.seen.Under(t.row.Layer)) > 0:
		return step(k, "thaw", k.thaw)
	}
	return step(k, "finish", k.finishSnapshot)
}

func (k *Keeper) draft(s id.Snapshot) string { return filepath.Join(k.Drafts, string(s)+".json") }

// putSnapshot puts the pieces and then the manifest, which is the snapshot.
func (k *Keeper) putSnapshot(ctx context.Context, t aSnapshot) error {
	k.sweeping.RLock()
	defer k.sweeping.RUnlock()
	whole, err := k.Chunks.Has(ctx, t.id)
	if err != nil {
		return err
	}
	if !whole {
		if err := k.upload(ctx, t); err != nil {
			return err
		}
	}
	t.row.State = store.Whole
	return k.Store.PutSnapshot(ctx, *t.row)
}

func (k *Keeper) upload(ctx context.Context, t aSnapshot) error {
	frozen, err := k.Disk.Frozen(ctx, t.row.Volume, t.row.Layer)
	if err != nil {
		return err
	}
	defer frozen.Close()
	src := chunk.Source{Volume: t.row.Volume, Frozen: frozen, Since: t.row.Since}
	if t.row.Parent != "" {
		src.Parent, err = k.Chunks.Manifest(ctx, k.Zone, t.row.Parent)
		if err != nil && fault.KindOf(err) != fault.Missing {
			return err
		}
	}
	m, err := k.Chunks.Upload(ctx, src, k.draft(t.id), func(done, all int) error {
		k.percents.Store(t.id, 100*done/max(all, 1))
		if now, _ := k.Orders(); now.Snapshots[t.id].Want == wire.Gone {
			return changed
		}
		if k.Nudge != nil {
			k.Nudge()
		}
		return nil
	})
	if err != nil {
		return err
	}
	crash.Here("blockstore.snapshot.pieces")
	if err := k.Chunks.PutManifest(ctx, t.id, m); err != nil {
		return err
	}
	crash.Here("blockstore.snapshot.manifest")
	return nil
}

// thaw merges the lowest of the frozen layers that nobody needs any more.
func (k *Keeper) thaw(ctx context.Context, t aSnapshot) error {
	seen, served, err := k.beforeThaw(ctx, t.row.Volume)
	under := seen.Under(t.row.Layer)
	if err != nil || len(under) == 0 {
		return err
	}
	layer := under[0].Number
	if served == 0 {
		return k.Disk.Merge(ctx, t.row.Volume, layer)
	}
	if err := k.Export.Merge(ctx, t.row.Volume, seen.Layers, layer); err != nil {
		return err
	}
	crash.Here("blockstore.snapshot.merged")
	return k.Disk.Drop(ctx, t.row.Volume, layer)
}

// beforeThaw makes sure that no server still writes to a frozen layer, as it
// does when a freeze was cut off and then not wanted any more.
func (k *Keeper) beforeThaw(ctx context.Context, v id.Volume) (volume.Seen, uint64, error) {
	defer k.turns.take(v)()
	if err := k.push(ctx, v); err != nil {
		return volume.Seen{}, 0, err
	}
	served, err := k.Export.Served(ctx, v)
	if err != nil {
		return volume.Seen{}, 0, err
	}
	seen, err := k.Disk.Seen(ctx, v)
	return seen, served, err
}

func (k *Keeper) finishSnapshot(ctx context.Context, t aSnapshot) error {
	if err := k.forgetDraft(t.id); err != nil {
		return err
	}
	if t.row.State == store.Leaving {
		return k.Store.Bury(ctx, *t.row, k.Now().Add(k.Grace))
	}
	t.row.State = store.Done
	return k.Store.PutSnapshot(ctx, *t.row)
}

func (k *Keeper) forgetDraft(s id.Snapshot) error {
	k.percents.Delete(s)
	if err := os.Remove(k.draft(s)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// removeSnapshot ends the snapshot at its manifest; its layers are thawed after.
func (k *Keeper) removeSnapshot(ctx context.Context, t aSnapshot) error {
	if err := k.Chunks.Remove(ctx, t.id); err != nil {
		return err
	}
	crash.Here("blockstore.snapshot.removed")
	t.row.State = store.Leaving
	return k.Store.PutSnapshot(ctx, *t.row)
}

// removeUnknown removes a snapshot whose record is lost or never was.
func (k *Keeper) removeUnknown(ctx context.Context, t aSnapshot) error {
	if err := k.Chunks.Remove(ctx, t.id); err != nil {
		return err
	}
	row := store.Snapshot{ID: t.id, Volume: t.order.Volume, Layer: -1, Since: -1}
	return k.Store.Bury(ctx, row, k.Now().Add(k.Grace))
}
