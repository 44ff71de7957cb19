package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteLoginProfileInput names a user.
type DeleteLoginProfileInput struct {
	UserName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteLoginProfileInput, action.Nothing]{
	Name:    "DeleteLoginProfile",
	Doc:     "Takes the password from a user; keys stay good.",
	Example: DeleteLoginProfileInput{UserName: "ada"},
	On:      on(onUser(func(in *DeleteLoginProfileInput) string { return in.UserName })),
	Run:     deleteLoginProfile,
})

func deleteLoginProfile(ctx context.Context, api *API, who action.Caller, in *DeleteLoginProfileInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		p, err := loginOf(tx, u)
		if err != nil {
			return err
		}
		if err := tx.Drop(p); err != nil {
			return err
		}
		return api.announceUser(tx, u, changed)
	})
}
