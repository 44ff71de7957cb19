package ec2

import (
	"context"
	"slices"
	"strconv"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// CreateVolumeInput asks for a volume, empty or made from a snapshot.
type CreateVolumeInput struct {
	AvailabilityZone  string
	ClientToken       *string // a repeat with the same token returns the same volume
	Size              *int    // GiB; the snapshot's when absent
	SnapshotId        *string
	TagSpecifications []TagSpecification
	VolumeType        *string
}

var _ = action.Add(Catalog, action.Def[*API, CreateVolumeInput, Volume]{
	Name:    "CreateVolume",
	Doc:     "Makes a volume, empty or from a snapshot.",
	Example: CreateVolumeInput{AvailabilityZone: "us-east-1a", Size: ptr(1), VolumeType: ptr("gp3"), ClientToken: ptr("4b3c")},
	On: on(func(tx *store.Tx, u *uses, in *CreateVolumeInput) error {
		keys := map[string][]string{"ec2:AvailabilityZone": {in.AvailabilityZone}, "ec2:VolumeType": {orElse(in.VolumeType, "gp2")}, "ec2:Encrypted": {"false"}}
		if in.Size != nil {
			keys["ec2:VolumeSize"] = []string{strconv.Itoa(*in.Size)}
		}
		if s := val(in.SnapshotId); s != "" {
			keys["ec2:ParentSnapshot"] = []string{u.api.arn("", "snapshot", s)}
		}
		u.fresh("volume", keys)
		if val(in.SnapshotId) == "" {
			return nil
		}
		snapshot, err := parse[id.Snapshot](*in.SnapshotId)
		if err != nil {
			return err
		}
		u.add("snapshot", string(snapshot))
		_, err = tx.Snapshot(u.who.Account, snapshot)
		return err
	}),
	Run: createVolume,
})

func createVolume(ctx context.Context, api *API, who action.Caller, in *CreateVolumeInput) (*Volume, error) {
	tags, err := newTags(in.TagSpecifications, "volume")
	if err != nil {
		return nil, err
	}
	var out Volume
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		made, err := api.once(tx, who, "CreateVolume", in.ClientToken, in, func() (string, error) {
			zones, err := tx.Zones()
			if err != nil {
				return "", err
			}
			if !slices.Contains(zones, in.AvailabilityZone) {
				return "", fault.New(fault.Invalid, "InvalidZone.NotFound", "The zone '%s' does not exist.", in.AvailabilityZone)
			}
			size, from, typ, err := api.checkVolume(tx, who.Account, in.Size, in.SnapshotId, in.VolumeType)
			if err != nil {
				return "", err
			}
			v, err := api.newVolume(tx, who, in.AvailabilityZone, size, from, typ)
			if err != nil {
				return "", err
			}
			return string(v.ID), putTags(tx, who.Account, "volume", string(v.ID), tags["volume"])
		})
		if err != nil {
			return err
		}
		all, err := api.volumes(tx, who.Account, []string{made})
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
