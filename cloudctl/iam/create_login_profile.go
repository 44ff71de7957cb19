package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateLoginProfileInput is a password for a user.
type CreateLoginProfileInput struct {
	UserName              string
	Password              string
	PasswordResetRequired *bool
}

// CreateLoginProfileOutput is the new profile.
type CreateLoginProfileOutput struct{ LoginProfile *LoginProfile }

var _ = action.Add(Catalog, action.Def[*API, CreateLoginProfileInput, CreateLoginProfileOutput]{
	Name:    "CreateLoginProfile",
	Doc:     "Gives a user a password.",
	Example: CreateLoginProfileInput{UserName: "ada", Password: "Engine-1843", PasswordResetRequired: ptr(true)},
	On:      on(onUser(func(in *CreateLoginProfileInput) string { return in.UserName })),
	Run:     createLoginProfile,
})

func createLoginProfile(ctx context.Context, api *API, who action.Caller, in *CreateLoginProfileInput) (*CreateLoginProfileOutput, error) {
	hash, err := api.newPassword(ctx, who.Account, in.Password, nil)
	if err != nil {
		return nil, err
	}
	out := &CreateLoginProfileOutput{}
	return out, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		if _, err := tx.LoginProfile(u.ID); err == nil {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "Login Profile for user %s already exists.", u.Name)
		}
		now := api.Clock()
		p := &store.LoginProfile{User: u.ID, Account: u.Account, Hash: hash, Former: []string{}, Reset: val(in.PasswordResetRequired), Changed: now, Created: now}
		if err := tx.Add(p); err != nil {
			return err
		}
		out.LoginProfile = showLogin(u, p)
		return api.announceUser(tx, u, changed)
	})
}
