package keep

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// snapshot is all that is known of one.
type snapshot struct {
	row  *store.Snapshot
	seen wire.SnapshotSeen
	used int // volumes that are still being made from it
}

// Snapshots is the loop over snapshots.
func (k *Keeper) Snapshots() life.Kind[snapshot] {
	return life.Kind[snapshot]{
		Name: "snapshot",
		List: list(k, (*store.Tx).UnsettledSnapshots, func(s *store.Snapshot) string { return string(s.ID) }),
		Look: k.lookSnapshot,
		Next: k.nextSnapshot,
	}
}

func (k *Keeper) lookSnapshot(ctx context.Context, name string) (t snapshot, err error) {
	err = k.Store.View(ctx, func(tx *store.Tx) error {
		if t.row, err = tx.SnapshotRow(id.Snapshot(name)); err != nil {
			t.row = nil
			if fault.KindOf(err) == fault.Missing {
				return nil
			}
			return err
		}
		users, err := tx.VolumesFrom(t.row.ID)
		t.used = len(users)
		return err
	})
	if t.row != nil {
		t.seen = k.Reports.Block(t.row.Zone).Snapshots[t.row.ID]
	}
	return t, err
}

func (k *Keeper) nextSnapshot(t snapshot) *life.Step[snapshot] {
	s, seen := t.row, t.seen
	switch {
	case s == nil:
		return nil
	case s.Want == wire.Gone && seen.State == wire.BlockGone:
		return &life.Step[snapshot]{Name: "forget", Do: k.forgetSnapshot}
	case s.Want == wire.Gone && t.used > 0:
		return life.Wait[snapshot]("%d volumes that are made from it", t.used)
	case s.Want == wire.Gone:
		return life.Wait[snapshot]("the blockstore of %s to remove it", s.Zone)
	case s.Done || s.Failure != "":
		return nil
	case seen.State == wire.BlockReady || seen.State == wire.BlockBroken:
		return &life.Step[snapshot]{Name: "note what became of it", Do: k.noteSnapshot}
	}
	return life.Wait[snapshot]("the blockstore of %s: %d %% are written", s.Zone, seen.Percent)
}

func (k *Keeper) noteSnapshot(ctx context.Context, t snapshot) error {
	return k.write(ctx, func(tx *store.Tx) error {
		s, err := tx.SnapshotRow(t.row.ID)
		if err != nil {
			return err
		}
		if s.Done = t.seen.State == wire.BlockReady; !s.Done {
			s.Failure = orElse(t.seen.Reason, "The snapshot could not be made.")
		}
		return tx.Put(s)
	})
}

func (k *Keeper) forgetSnapshot(ctx context.Context, t snapshot) error {
	return k.write(ctx, func(tx *store.Tx) error {
		if err := tx.DropTagsOn(string(t.row.ID)); err != nil {
			return err
		}
		return tx.Drop(t.row)
	})
}
