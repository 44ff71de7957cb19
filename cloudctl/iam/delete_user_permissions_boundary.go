package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// DeleteUserPermissionsBoundaryInput names a user.
type DeleteUserPermissionsBoundaryInput struct {
	UserName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteUserPermissionsBoundaryInput, action.Nothing]{
	Name:    "DeleteUserPermissionsBoundary",
	Doc:     "Takes the bound from what a user may.",
	Example: DeleteUserPermissionsBoundaryInput{UserName: "ada"},
	On:      on(onUser(func(in *DeleteUserPermissionsBoundaryInput) string { return in.UserName })),
	Run:     deleteUserPermissionsBoundary,
})

func deleteUserPermissionsBoundary(ctx context.Context, api *API, who action.Caller, in *DeleteUserPermissionsBoundaryInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		if u.Boundary == "" {
			return fault.New(fault.Missing, "NoSuchEntity", "User %s does not have a permission boundary.", u.Name)
		}
		u.Boundary = ""
		return api.putUser(tx, u)
	})
}
