package ec2

import (
	"context"
	"unicode/utf8"

	"karri/cloudctl/quota"
	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// CreateSnapshotInput names a volume of the caller, attached or not.
type CreateSnapshotInput struct {
	Description       *string
	TagSpecifications []TagSpecification
	VolumeId          string
}

var _ = action.Add(Catalog, action.Def[*API, CreateSnapshotInput, Snapshot]{
	Name:    "CreateSnapshot",
	Doc:     "Keeps the bytes that a volume has now, while it may be written on.",
	Example: CreateSnapshotInput{VolumeId: "vol-1a2b3c4d5e6f70819", Description: ptr("before the upgrade")},
	On: on(func(tx *store.Tx, u *uses, in *CreateSnapshotInput) error {
		v, err := parse[id.Volume](in.VolumeId)
		if err != nil {
			return err
		}
		u.add("volume", string(v))
		u.fresh("snapshot", map[string][]string{"ec2:ParentVolume": {u.api.arn(u.who.Account, "volume", string(v))}})
		_, err = tx.Volume(u.who.Account, v)
		return err
	}),
	Run: createSnapshot,
})

func createSnapshot(ctx context.Context, api *API, who action.Caller, in *CreateSnapshotInput) (*Snapshot, error) {
	tags, err := newTags(in.TagSpecifications, "snapshot")
	if err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(val(in.Description)) > 255 {
		return nil, invalid("The description may have at most 255 characters.")
	}
	var out Snapshot
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		v, err := usable(tx, who.Account, in.VolumeId)
		if err != nil {
			return err
		}
		if s := report.VolumeState(v, nil); s != "available" {
			return fault.New(fault.Conflict, "IncorrectState", "Volume '%s' is %s.", v.ID, s)
		}
		if err := quota.Check(tx, who, quota.Snapshots, 1); err != nil {
			return err
		}
		s := &store.Snapshot{
			ID: id.New[id.Snapshot](api.Rand), Account: who.Account, Creator: quota.Creator(who), Volume: v.ID, Zone: v.Zone, SizeGiB: v.SizeGiB,
			Description: val(in.Description), Want: wire.Present, Started: api.Clock(),
		}
		if err := tx.Add(s); err != nil {
			return err
		}
		if err := putTags(tx, who.Account, "snapshot", string(s.ID), tags["snapshot"]); err != nil {
			return err
		}
		all, err := api.snapshots(tx, who.Account, []string{string(s.ID)})
		if err == nil {
			out = all[0]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return &out, nil
}
