package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/wire"
)

// DeleteVolumeInput names a volume of the caller.
type DeleteVolumeInput struct{ VolumeId string }

var _ = action.Add(Catalog, action.Def[*API, DeleteVolumeInput, action.Nothing]{
	Name:    "DeleteVolume",
	Doc:     "Removes a volume that is attached to nothing.",
	Example: DeleteVolumeInput{VolumeId: "vol-1a2b3c4d5e6f70819"},
	On:      onVolume(func(in *DeleteVolumeInput) string { return in.VolumeId }, noInstance),
	Run:     deleteVolume,
})

func deleteVolume(ctx context.Context, api *API, who action.Caller, in *DeleteVolumeInput) (*action.Nothing, error) {
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		v, err := usable(tx, who.Account, in.VolumeId)
		if err != nil {
			return err
		}
		a, err := tx.Attachment(v.ID)
		if err != nil {
			return err
		}
		if a != nil {
			return fault.New(fault.Conflict, "VolumeInUse", "Volume %s is currently attached to %s", v.ID, a.Instance)
		}
		v.Want = wire.Gone
		return tx.Put(v)
	})
	if err == nil {
		api.Nudge()
	}
	return nil, err
}
