package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetUserInput names a user.
type GetUserInput struct {
	UserName *string // absent: who calls
}

// GetUserOutput is the user.
type GetUserOutput struct{ User *User }

var _ = action.Add(Catalog, action.Def[*API, GetUserInput, GetUserOutput]{
	Name:    "GetUser",
	Doc:     "Shows a user; without a name the one that calls.",
	Example: GetUserInput{UserName: ptr("ada")},
	On:      on(func(t *things, in *GetUserInput) error { return t.user(in.UserName) }),
	Run:     getUser,
})

func getUser(ctx context.Context, api *API, who action.Caller, in *GetUserInput) (*GetUserOutput, error) {
	out := &GetUserOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		u, err := userOr(tx, who, in.UserName)
		if err != nil {
			return err
		}
		if u != nil {
			out.User = ptr(fullUser(u))
			return api.lastLogin(tx, u, out.User)
		}
		a, err := tx.Account(who.Account)
		if err != nil {
			return err
		}
		out.User = ptr(rootUser(a))
		return nil
	})
	return out, err
}
