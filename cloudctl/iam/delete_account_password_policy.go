package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteAccountPasswordPolicyInput is empty.
type DeleteAccountPasswordPolicyInput struct{}

var _ = action.Add(Catalog, action.Def[*API, DeleteAccountPasswordPolicyInput, action.Nothing]{
	Name: "DeleteAccountPasswordPolicy",
	Doc:  "Takes the rules for passwords away; the usual ones hold then.",
	On:   action.Own[*API, DeleteAccountPasswordPolicyInput],
	Run:  deleteAccountPasswordPolicy,
})

func deleteAccountPasswordPolicy(ctx context.Context, api *API, who action.Caller, _ *DeleteAccountPasswordPolicyInput) (*action.Nothing, error) {
	return nil, api.withAccount(ctx, who, func(_ *store.Tx, a *store.Account) error {
		if a.PasswordPolicy == "" {
			return noPasswordPolicy(a)
		}
		a.PasswordPolicy = ""
		return nil
	})
}
