package admin

import (
	"context"

	"karri/shared/action"
)

// ListAccountPoliciesInput names the account.
type ListAccountPoliciesInput struct {
	AccountId string // or its name, or its alias
}

// ListAccountPoliciesOutput lists its policies by name.
type ListAccountPoliciesOutput struct{ Policies []AccountPolicy }

var _ = action.Add(Catalog, action.Def[*API, ListAccountPoliciesInput, ListAccountPoliciesOutput]{
	Name:    "ListAccountPolicies",
	Doc:     "Lists the policies that are laid on an account.",
	Example: ListAccountPoliciesInput{AccountId: "123456789012"},
	On:      action.AdminOnly[*API, ListAccountPoliciesInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *ListAccountPoliciesInput) (*ListAccountPoliciesOutput, error) {
		rows, err := api.Accounts.Policies(ctx, in.AccountId)
		out := &ListAccountPoliciesOutput{}
		for _, p := range rows {
			out.Policies = append(out.Policies, AccountPolicy{AccountId: p.Account, PolicyName: p.Name, PolicyDocument: p.Document, Created: p.Created})
		}
		return out, err
	},
})
