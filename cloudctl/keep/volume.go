package keep

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// volume is all that is known of one.
type volume struct {
	row      *store.Volume
	seen     wire.VolumeSeen
	attached bool
}

// Volumes is the loop over volumes.
func (k *Keeper) Volumes() life.Kind[volume] {
	return life.Kind[volume]{
		Name: "volume",
		List: list(k, func(tx *store.Tx) ([]store.Volume, error) { return tx.VolumesOf(store.AnyAccount) },
			func(v *store.Volume) string { return string(v.ID) }),
		Look: k.lookVolume,
		Next: k.nextVolume,
	}
}

func (k *Keeper) lookVolume(ctx context.Context, name string) (t volume, err error) {
	err = k.Store.View(ctx, func(tx *store.Tx) error {
		if t.row, err = tx.VolumeRow(id.Volume(name)); err != nil || t.row == nil {
			return err
		}
		a, err := tx.Attachment(t.row.ID)
		t.attached = a != nil
		return err
	})
	if t.row != nil {
		t.seen = k.Reports.Block(t.row.Zone).Volumes[t.row.ID]
	}
	return t, err
}

func (k *Keeper) nextVolume(t volume) *life.Step[volume] {
	v, seen := t.row, t.seen
	switch {
	case v == nil:
		return nil
	case v.Want == wire.Gone && t.attached:
		return life.Wait[volume]("its attachment to end")
	case v.Want == wire.Gone && seen.State == wire.BlockGone:
		return &life.Step[volume]{Name: "forget", Do: k.forgetVolume}
	case v.Want == wire.Gone:
		return life.Wait[volume]("the blockstore of %s to remove it", v.Zone)
	case v.Ready || v.Failure != "":
		return nil
	case seen.State == wire.BlockReady || seen.State == wire.BlockBroken:
		return &life.Step[volume]{Name: "note what became of it", Do: k.noteVolume}
	}
	return life.Wait[volume]("the blockstore of %s to make it", v.Zone)
}

func (k *Keeper) noteVolume(ctx context.Context, t volume) error {
	defer k.attachments.Nudge(string(t.row.ID))
	return k.write(ctx, func(tx *store.Tx) error {
		v, err := tx.VolumeRow(t.row.ID)
		if v == nil || err != nil {
			return err
		}
		if v.Ready = t.seen.State == wire.BlockReady; !v.Ready {
			v.Failure = orElse(t.seen.Reason, "The volume could not be made.")
		}
		return tx.Put(v)
	})
}

func orElse(s, or string) string {
	if s == "" {
		return or
	}
	return s
}

func (k *Keeper) forgetVolume(ctx context.Context, t volume) error {
	return k.write(ctx, func(tx *store.Tx) error {
		if err := tx.DropTagsOn(string(t.row.ID)); err != nil {
			return err
		}
		return tx.Drop(t.row)
	})
}
