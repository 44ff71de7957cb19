package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteUserInput names the user.
type DeleteUserInput struct {
	UserName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteUserInput, action.Nothing]{
	Name:    "DeleteUser",
	Doc:     "Deletes a user that has nothing any more: no keys, groups, policies, password, devices, certificates.",
	Example: DeleteUserInput{UserName: "ada"},
	On:      on(onUser(func(in *DeleteUserInput) string { return in.UserName })),
	Run:     deleteUser,
})

func deleteUser(ctx context.Context, api *API, who action.Caller, in *DeleteUserInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		u, err := tx.User(who.Account, in.UserName)
		if err != nil {
			return err
		}
		if err := mayGo(tx, u); err != nil {
			return err
		}
		if err := tx.Drop(u); err != nil {
			return err
		}
		return api.announceUser(tx, u, deleted)
	})
}
