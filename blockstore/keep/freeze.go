package keep

import (
	"context"
	"time"

	"karri/blockstore/store"
	"karri/blockstore/volume"
	"karri/shared/crash"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// aFreeze is all that is known of a snapshot that is to be frozen.
type aFreeze struct {
	id     id.Snapshot
	order  wire.Snapshot
	row    *store.Snapshot
	volume *store.Volume
	coming bool // the volume is wanted and will be there
	seen   volume.Seen
}

// Freezes is the loop that freezes volumes for snapshots. It is apart from that
// of the snapshots because it takes an instant, and they take hours.
func (k *Keeper) Freezes() life.Kind[aFreeze] {
	return life.Kind[aFreeze]{Name: "freeze", List: k.listFreezes, Look: k.lookFreeze, Next: k.nextFreeze}
}

func (k *Keeper) listFreezes(ctx context.Context) ([]string, error) {
	rows, err := k.Store.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	frozen := map[id.Snapshot]bool{}
	for _, row := range rows {
		frozen[row.ID] = row.State != store.Freezing
	}
	var list []string
	orders, _ := k.Orders()
	for s, o := range orders.Snapshots {
		if o.Want == wire.Present && !frozen[s] {
			list = append(list, string(s))
		}
	}
	return list, nil
}

func (k *Keeper) lookFreeze(ctx context.Context, name string) (t aFreeze, err error) {
	t.id = id.Snapshot(name)
	orders, _ := k.Orders()
	t.order = orders.Snapshots[t.id]
	if t.row, err = k.Store.Snapshot(ctx, t.id); err != nil {
		return t, err
	}
	if t.volume, err = k.Store.Volume(ctx, t.order.Volume); err != nil {
		return t, err
	}
	t.coming = orders.Volumes[t.order.Volume].Want == wire.Present
	t.seen, err = k.Disk.Seen(ctx, t.order.Volume)
	return t, err
}

func (k *Keeper) nextFreeze(t aFreeze) *life.Step[aFreeze] {
	ready := t.volume != nil && t.seen.Exists()
	switch {
	case t.order.Want != wire.Present || t.row != nil && t.row.State != store.Freezing:
		return nil
	case !ready && (!t.coming || t.volume != nil && t.volume.Reason != ""):
		return step(k, "give up", func(ctx context.Context, t aFreeze) error {
			return k.giveUp(ctx, t.id, t.order.Volume, t.row)
		})
	case !ready:
		return life.Wait[aFreeze]("waits for %s", t.order.Volume)
	case t.row == nil:
		return step(k, "plan", k.planFreeze)
	}
	return step(k, "freeze", k.freeze)
}

func (k *Keeper) giveUp(ctx context.Context, s id.Snapshot, v id.Volume, row *store.Snapshot) error {
	if row == nil {
		row = &store.Snapshot{ID: s, Volume: v, Layer: -1, Since: -1}
	}
	row.State, row.Reason = store.Broken, "The volume is gone."
	return k.Store.PutSnapshot(ctx, *row)
}

func (k *Keeper) planFreeze(ctx context.Context, t aFreeze) error {
	defer k.turns.take(t.order.Volume)()
	seen, err := k.Disk.Seen(ctx, t.order.Volume)
	if err != nil {
		return err
	}
	if !seen.Exists() {
		return volume.Missing
	}
	return k.Store.Plan(ctx, t.id, t.order.Volume, seen.Top())
}

// freeze puts a layer on top of the one that was planned. A storage daemon
// that runs is told; one that starts later finds it on the disk.
func (k *Keeper) freeze(ctx context.Context, t aFreeze) error {
	defer k.turns.take(t.row.Volume)()
	if err := k.Disk.Freeze(ctx, t.row.Volume, t.row.Layer); err != nil {
		return err
	}
	crash.Here("blockstore.freeze.layered")
	if err := k.push(ctx, t.row.Volume); err != nil {
		return err
	}
	crash.Here("blockstore.freeze.pushed")
	now := k.Now().UTC().Truncate(time.Millisecond)
	t.row.State, t.row.Frozen = store.Frozen, &now
	return k.Store.PutSnapshot(ctx, *t.row)
}

// push sends the writes of a volume that is served to its highest layer. The
// caller has the turn.
func (k *Keeper) push(ctx context.Context, v id.Volume) error {
	epoch, err := k.Export.Served(ctx, v)
	if err != nil || epoch == 0 {
		return err
	}
	seen, err := k.Disk.Seen(ctx, v)
	if err != nil {
		return err
	}
	return k.Export.Push(ctx, v, seen.Layers)
}
