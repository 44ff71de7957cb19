package iam

import (
	"context"
	"slices"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// AddUserToGroupInput names a user and a group.
type AddUserToGroupInput struct {
	GroupName string
	UserName  string
}

var _ = action.Add(Catalog, action.Def[*API, AddUserToGroupInput, action.Nothing]{
	Name:    "AddUserToGroup",
	Doc:     "Puts a user into a group; one that is in it already stays.",
	Example: AddUserToGroupInput{GroupName: "physicists", UserName: "ada"},
	On:      on(onGroup(func(in *AddUserToGroupInput) string { return in.GroupName })),
	Run:     addUserToGroup,
})

func addUserToGroup(ctx context.Context, api *API, who action.Caller, in *AddUserToGroupInput) (*action.Nothing, error) {
	return nil, api.withGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) error {
		u, err := tx.User(who.Account, in.UserName)
		if err != nil {
			return err
		}
		has, err := tx.GroupsOfUser(u.ID)
		if err != nil || slices.ContainsFunc(has, func(h store.UserGroup) bool { return h.ID == g.ID }) {
			return err
		}
		if len(has) >= maxGroups {
			return fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for GroupsPerUser: %d", maxGroups)
		}
		if err := tx.Add(&store.Member{User: u.ID, UserGroup: g.ID, Account: who.Account}); err != nil {
			return err
		}
		return api.announceGroup(tx, g, changed)
	})
}
