package admin

import (
	"context"

	"karri/shared/action"
)

// PutAccountPolicyInput is the policy as JSON.
type PutAccountPolicyInput struct {
	AccountId      string // or its name, or its alias
	PolicyName     string
	PolicyDocument string
}

var _ = action.Add(Catalog, action.Def[*API, PutAccountPolicyInput, action.Nothing]{
	Name: "PutAccountPolicy",
	Doc:  "Lays a policy on an account: what it limits holds for the account as a whole, what it denies for all in it.",
	Example: PutAccountPolicyInput{AccountId: "123456789012", PolicyName: "small",
		PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Limit","Action":"ec2:RunInstances","Resource":"*","Condition":{"NumericLessThanEquals":{"ec2:quota-vminstancenumber":"8"}}}]}`},
	On: action.AdminOnly[*API, PutAccountPolicyInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *PutAccountPolicyInput) (*action.Nothing, error) {
		err := api.Accounts.PutPolicy(ctx, in.AccountId, in.PolicyName, in.PolicyDocument)
		if err == nil {
			api.Nudge()
		}
		return nil, err
	},
})
