package admin

import (
	"context"

	"karri/shared/action"
)

// DeleteAccountPolicyInput names the policy.
type DeleteAccountPolicyInput struct {
	AccountId  string // or its name, or its alias
	PolicyName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteAccountPolicyInput, action.Nothing]{
	Name:    "DeleteAccountPolicy",
	Doc:     "Takes a policy off an account.",
	Example: DeleteAccountPolicyInput{AccountId: "123456789012", PolicyName: "small"},
	On:      action.AdminOnly[*API, DeleteAccountPolicyInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *DeleteAccountPolicyInput) (*action.Nothing, error) {
		err := api.Accounts.DeletePolicy(ctx, in.AccountId, in.PolicyName)
		if err == nil {
			api.Nudge()
		}
		return nil, err
	},
})
