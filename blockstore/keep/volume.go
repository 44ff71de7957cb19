package keep

import (
	"context"
	"errors"
	"fmt"

	"karri/blockstore/store"
	"karri/blockstore/volume"
	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// aVolume is all that is known of a volume.
type aVolume struct {
	id         id.Volume
	order      *wire.Volume // nil: no order names it
	row        *store.Volume
	seen       volume.Seen
	export     *store.Export
	served     uint64
	unfinished []store.Snapshot
}

// Volumes is the loop that makes and removes volumes.
func (k *Keeper) Volumes() life.Kind[aVolume] {
	return life.Kind[aVolume]{Name: "volume", List: k.listVolumes, Look: k.lookVolume, Next: k.nextVolume}
}

func (k *Keeper) listVolumes(ctx context.Context) ([]string, error) {
	rows, err := k.Store.Volumes(ctx)
	if err != nil {
		return nil, err
	}
	found, err := k.Disk.Volumes(ctx)
	if err != nil {
		return nil, err
	}
	var all union[id.Volume]
	for _, row := range rows {
		all.add(row.ID)
	}
	for _, v := range found {
		all.add(v)
	}
	orders, _ := k.Orders()
	for v := range orders.Volumes {
		all.add(v)
	}
	return all.list, nil
}

func (k *Keeper) lookVolume(ctx context.Context, name string) (t aVolume, err error) {
	t.id = id.Volume(name)
	orders, _ := k.Orders()
	if o, ok := orders.Volumes[t.id]; ok {
		t.order = &o
	}
	if t.row, err = k.Store.Volume(ctx, t.id); err != nil {
		return t, err
	}
	if t.seen, err = k.Disk.Seen(ctx, t.id); err != nil {
		return t, err
	}
	if t.order == nil || t.order.Want != wire.Gone {
		return t, nil
	}
	if t.export, err = k.Store.Export(ctx, t.id); err != nil {
		return t, err
	}
	if t.served, err = k.Export.Served(ctx, t.id); err != nil {
		return t, err
	}
	t.unfinished, err = k.Store.Unfinished(ctx, t.id)
	return t, err
}

func (k *Keeper) nextVolume(t aVolume) *life.Step[aVolume] {
	switch {
	case t.order == nil:
		return nil
	case t.order.Want == wire.Gone:
		return k.endVolume(t)
	case t.row != nil && t.row.Reason != "":
		return nil
	case t.seen.Exists() && (t.row == nil || !t.row.Made):
		return step(k, "record", k.recordVolume)
	case t.seen.Exists():
		return nil
	case t.row != nil && t.row.Made:
		return step(k, "record the loss", k.loseVolume)
	case t.order.From == "":
		return step(k, "make", k.makeVolume)
	case t.row == nil:
		return step(k, "plan", k.planVolume)
	}
	return step(k, "fill", k.fillVolume)
}

func (k *Keeper) endVolume(t aVolume) *life.Step[aVolume] {
	switch {
	case t.served != 0 || t.export != nil && !t.export.Ended:
		return life.Wait[aVolume]("waits for the end of its export")
	case len(t.unfinished) > 0:
		return life.Wait[aVolume]("waits for %s", t.unfinished[0].ID)
	case t.seen.Exists() || t.seen.Remains:
		return step(k, "remove", k.removeVolume)
	case t.row != nil || t.export != nil:
		return step(k, "forget", func(ctx context.Context, t aVolume) error { return k.Store.ForgetVolume(ctx, t.id) })
	}
	return nil
}

func (k *Keeper) makeVolume(ctx context.Context, t aVolume) error {
	defer k.turns.take(t.id)()
	if err := k.Disk.Create(ctx, t.id, int64(t.order.SizeGiB)*gib); err != nil {
		return err
	}
	crash.Here("blockstore.volume.made")
	return nil
}

// recordVolume also takes in a volume that was there before its record: then
// nothing is known of what its layers have, and the next snapshot reads all.
func (k *Keeper) recordVolume(ctx context.Context, t aVolume) error {
	row := store.Volume{ID: t.id, LastLayer: -1}
	if t.row != nil {
		row = *t.row
	}
	row.SizeGiB, row.Made = int(t.seen.Size/gib), true
	return k.Store.PutVolume(ctx, row)
}

func (k *Keeper) loseVolume(ctx context.Context, t aVolume) error {
	t.row.Reason = "Its bytes are missing from the disk of the blockstore."
	return k.Store.PutVolume(ctx, *t.row)
}

// planVolume writes before the first byte that layer 0 will be the snapshot,
// so that the volume's first own snapshot is an increment to it. The pieces of
// another zone's snapshot are not where ours are kept.
func (k *Keeper) planVolume(ctx context.Context, t aVolume) error {
	row := store.Volume{ID: t.id, SizeGiB: t.order.SizeGiB, LastLayer: -1}
	if t.order.Zone == "" || t.order.Zone == k.Zone {
		row.LastSnapshot, row.LastLayer = t.order.From, 0
	}
	return k.Store.PutVolume(ctx, row)
}

// changed is the fault that ends a long step whose wish is no more.
var changed = fault.New(fault.Later, "WishChanged", "Something else is wanted now.")

func (k *Keeper) fillVolume(ctx context.Context, t aVolume) error {
	zone := t.order.Zone
	if zone == "" {
		zone = k.Zone
	}
	size := int64(t.order.SizeGiB) * gib
	m, err := k.Chunks.Manifest(ctx, zone, t.order.From)
	switch {
	case err != nil && fault.KindOf(err) == fault.Missing:
		t.row.Reason = fmt.Sprintf("There is no snapshot %s in zone %s.", t.order.From, zone)
		return k.Store.PutVolume(ctx, *t.row)
	case err != nil:
		return err
	case m.Size > size:
		t.row.Reason = fmt.Sprintf("The volume is smaller than snapshot %s.", t.order.From)
		return k.Store.PutVolume(ctx, *t.row)
	}
	draft, err := k.Disk.Draft(ctx, t.id, size)
	if err != nil {
		return err
	}
	err = k.Chunks.Fill(ctx, zone, m, draft, func(int, int) error {
		if now, _ := k.Orders(); now.Volumes[t.id].Want == wire.Gone {
			return changed
		}
		return nil
	})
	if err == nil {
		crash.Here("blockstore.volume.pieces")
		err = draft.Commit(ctx)
	}
	return errors.Join(err, draft.Close())
}

func (k *Keeper) removeVolume(ctx context.Context, t aVolume) error {
	defer k.turns.take(t.id)()
	if epoch, err := k.Export.Served(ctx, t.id); err != nil || epoch != 0 {
		return errors.Join(err, export0(epoch))
	}
	return k.Disk.Remove(ctx, t.id)
}

func export0(epoch uint64) error {
	if epoch == 0 {
		return nil
	}
	return fault.New(fault.Later, "VolumeInUse", "Epoch %d of the volume is served.", epoch)
}
