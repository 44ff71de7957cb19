package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetLoginProfileInput names a user.
type GetLoginProfileInput struct {
	UserName string
}

// GetLoginProfileOutput is the profile, without the password.
type GetLoginProfileOutput struct{ LoginProfile *LoginProfile }

var _ = action.Add(Catalog, action.Def[*API, GetLoginProfileInput, GetLoginProfileOutput]{
	Name:    "GetLoginProfile",
	Doc:     "Tells whether a user has a password, and since when.",
	Example: GetLoginProfileInput{UserName: "ada"},
	On:      on(onUser(func(in *GetLoginProfileInput) string { return in.UserName })),
	Run:     getLoginProfile,
})

func getLoginProfile(ctx context.Context, api *API, who action.Caller, in *GetLoginProfileInput) (*GetLoginProfileOutput, error) {
	out := &GetLoginProfileOutput{}
	return out, api.viewUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		p, err := loginOf(tx, u)
		if err == nil {
			out.LoginProfile = showLogin(u, p)
		}
		return err
	})
}
