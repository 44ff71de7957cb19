package iam

import (
	"context"

	"karri/cloudctl/password"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// ChangePasswordInput is the old and the new password.
type ChangePasswordInput struct {
	OldPassword string
	NewPassword string
}

var _ = action.Add(Catalog, action.Def[*API, ChangePasswordInput, action.Nothing]{
	Name:    "ChangePassword",
	Doc:     "Changes the password of the user that calls.",
	Example: ChangePasswordInput{OldPassword: "Engine-1843", NewPassword: "Engine-1844"},
	On: on(func(t *things, _ *ChangePasswordInput) error {
		if err := t.user(nil); err != nil {
			return err
		}
		return t.forUsers("iam:ChangePassword")
	}),
	Run: changePassword,
})

func changePassword(ctx context.Context, api *API, who action.Caller, in *ChangePasswordInput) (*action.Nothing, error) {
	me, was, rules, err := api.myLogin(ctx, who)
	if err != nil {
		return nil, err
	}
	if !password.Matches(was.Hash, in.OldPassword) {
		return nil, fault.New(fault.Denied, "AccessDenied", "The old password was incorrect.")
	}
	if end := rules.expires(was.Changed); val(rules.HardExpiry) && end != nil && api.Clock().After(*end) {
		return nil, fault.New(fault.Denied, "AccessDenied", "The password has expired, and an administrator of the account must set a new one.")
	}
	hash, err := api.newPassword(ctx, who.Account, in.NewPassword, was)
	if err != nil {
		return nil, err
	}
	return nil, api.withUser(ctx, who, me.Name, func(tx *store.Tx, u *store.User) error {
		p, err := sameLogin(tx, u, was)
		if err != nil {
			return err
		}
		p.Reset = false
		return api.changeLogin(tx, u, p, hash)
	})
}

// myLogin returns the user that calls with its password and the account's rules.
func (api *API) myLogin(ctx context.Context, who action.Caller) (u *store.User, p *store.LoginProfile, rules PasswordPolicy, err error) {
	err = api.Store.View(ctx, func(tx *store.Tx) error {
		if u, err = userOr(tx, who, nil); err != nil || u == nil {
			return fault.New(fault.Invalid, "InvalidUserType", "Only IAM Users can change their own password.")
		}
		if p, err = loginOf(tx, u); err != nil {
			return err
		}
		a, err := tx.Account(who.Account)
		if err == nil {
			rules, err = rulesOf(a)
		}
		return err
	})
	return u, p, rules, err
}
