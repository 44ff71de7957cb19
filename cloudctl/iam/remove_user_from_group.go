package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// RemoveUserFromGroupInput names a user and a group.
type RemoveUserFromGroupInput struct {
	GroupName string
	UserName  string
}

var _ = action.Add(Catalog, action.Def[*API, RemoveUserFromGroupInput, action.Nothing]{
	Name:    "RemoveUserFromGroup",
	Doc:     "Takes a user out of a group; one that is not in it is fine.",
	Example: RemoveUserFromGroupInput{GroupName: "physicists", UserName: "ada"},
	On:      on(onGroup(func(in *RemoveUserFromGroupInput) string { return in.GroupName })),
	Run:     removeUserFromGroup,
})

func removeUserFromGroup(ctx context.Context, api *API, who action.Caller, in *RemoveUserFromGroupInput) (*action.Nothing, error) {
	return nil, api.withGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) error {
		u, err := tx.User(who.Account, in.UserName)
		if err != nil {
			return err
		}
		if err := tx.Drop(&store.Member{User: u.ID, UserGroup: g.ID}); err != nil {
			return err
		}
		return api.announceGroup(tx, g, changed)
	})
}
