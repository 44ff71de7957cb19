package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetAccountPasswordPolicyInput is empty.
type GetAccountPasswordPolicyInput struct{}

// GetAccountPasswordPolicyOutput are the rules.
type GetAccountPasswordPolicyOutput struct{ PasswordPolicy *PasswordPolicy }

var _ = action.Add(Catalog, action.Def[*API, GetAccountPasswordPolicyInput, GetAccountPasswordPolicyOutput]{
	Name: "GetAccountPasswordPolicy",
	Doc:  "Shows what the passwords of the account must be.",
	On: on(func(t *things, _ *GetAccountPasswordPolicyInput) error {
		t.add("*", nil)
		return t.forUsers("iam:GetAccountPasswordPolicy")
	}),
	Run: getAccountPasswordPolicy,
})

func getAccountPasswordPolicy(ctx context.Context, api *API, who action.Caller, _ *GetAccountPasswordPolicyInput) (*GetAccountPasswordPolicyOutput, error) {
	out := &GetAccountPasswordPolicyOutput{}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(who.Account)
		if err != nil {
			return err
		}
		if a.PasswordPolicy == "" {
			return noPasswordPolicy(a)
		}
		rules, err := rulesOf(a)
		out.PasswordPolicy = &rules
		return err
	})
}
