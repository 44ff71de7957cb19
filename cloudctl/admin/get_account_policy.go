package admin

import (
	"context"
	"time"

	"karri/shared/action"
)

// GetAccountPolicyInput names the policy.
type GetAccountPolicyInput struct {
	AccountId  string // or its name, or its alias
	PolicyName string
}

// AccountPolicy is a policy that is laid on an account.
type AccountPolicy struct {
	AccountId      string
	PolicyName     string
	PolicyDocument string
	Created        time.Time
}

var _ = action.Add(Catalog, action.Def[*API, GetAccountPolicyInput, AccountPolicy]{
	Name:    "GetAccountPolicy",
	Doc:     "Shows a policy that is laid on an account.",
	Example: GetAccountPolicyInput{AccountId: "123456789012", PolicyName: "small"},
	On:      action.AdminOnly[*API, GetAccountPolicyInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *GetAccountPolicyInput) (*AccountPolicy, error) {
		p, err := api.Accounts.Policy(ctx, in.AccountId, in.PolicyName)
		if err != nil {
			return nil, err
		}
		return &AccountPolicy{AccountId: p.Account, PolicyName: p.Name, PolicyDocument: p.Document, Created: p.Created}, nil
	},
})
