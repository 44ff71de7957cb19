package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
	"karri/shared/wire"
)

// DeleteSnapshotInput names a snapshot of the caller.
type DeleteSnapshotInput struct{ SnapshotId string }

var _ = action.Add(Catalog, action.Def[*API, DeleteSnapshotInput, action.Nothing]{
	Name:    "DeleteSnapshot",
	Doc:     "Removes a snapshot; volumes that were made from it keep their bytes.",
	Example: DeleteSnapshotInput{SnapshotId: "snap-1a2b3c4d5e6f70819"},
	On: on(func(tx *store.Tx, u *uses, in *DeleteSnapshotInput) error {
		s, err := parse[id.Snapshot](in.SnapshotId)
		if err != nil {
			return err
		}
		u.add("snapshot", string(s))
		_, err = tx.Snapshot(u.who.Account, s)
		return err
	}),
	Run: deleteSnapshot,
})

func deleteSnapshot(ctx context.Context, api *API, who action.Caller, in *DeleteSnapshotInput) (*action.Nothing, error) {
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		s, err := tx.Snapshot(who.Account, id.Snapshot(in.SnapshotId))
		if err != nil {
			return err
		}
		s.Want = wire.Gone
		if err := tx.DropTagsOn(in.SnapshotId); err != nil {
			return err
		}
		return tx.Put(s)
	})
	if err == nil {
		api.Nudge()
	}
	return nil, err
}
