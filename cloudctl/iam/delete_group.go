package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteGroupInput names a group.
type DeleteGroupInput struct {
	GroupName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteGroupInput, action.Nothing]{
	Name:    "DeleteGroup",
	Doc:     "Deletes a group that has neither users nor policies any more.",
	Example: DeleteGroupInput{GroupName: "physicists"},
	On:      on(onGroup(func(in *DeleteGroupInput) string { return in.GroupName })),
	Run:     deleteGroup,
})

func deleteGroup(ctx context.Context, api *API, who action.Caller, in *DeleteGroupInput) (*action.Nothing, error) {
	return nil, api.withGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) error {
		if err := mayGroupGo(tx, g); err != nil {
			return err
		}
		if err := tx.Drop(g); err != nil {
			return err
		}
		return api.announceGroup(tx, g, deleted)
	})
}
