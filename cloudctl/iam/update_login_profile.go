package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UpdateLoginProfileInput is a password for a user.
type UpdateLoginProfileInput struct {
	UserName              string
	Password              *string
	PasswordResetRequired *bool
}

var _ = action.Add(Catalog, action.Def[*API, UpdateLoginProfileInput, action.Nothing]{
	Name:    "UpdateLoginProfile",
	Doc:     "Gives a user another password, or has it changed at the next login.",
	Example: UpdateLoginProfileInput{UserName: "ada", Password: ptr("Engine-1844")},
	On:      on(onUser(func(in *UpdateLoginProfileInput) string { return in.UserName })),
	Run:     updateLoginProfile,
})

func updateLoginProfile(ctx context.Context, api *API, who action.Caller, in *UpdateLoginProfileInput) (*action.Nothing, error) {
	var was *store.LoginProfile
	err := api.viewUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) (err error) {
		was, err = loginOf(tx, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	hash := ""
	if in.Password != nil {
		if hash, err = api.newPassword(ctx, who.Account, *in.Password, was); err != nil {
			return nil, err
		}
	}
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		p, err := sameLogin(tx, u, was)
		if err != nil {
			return err
		}
		if in.PasswordResetRequired != nil {
			p.Reset = *in.PasswordResetRequired
		}
		return api.changeLogin(tx, u, p, hash)
	})
}
