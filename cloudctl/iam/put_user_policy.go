package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// PutUserPolicyInput is a policy for a user.
type PutUserPolicyInput struct {
	UserName       string
	PolicyName     string
	PolicyDocument string
}

var _ = action.Add(Catalog, action.Def[*API, PutUserPolicyInput, action.Nothing]{
	Name:    "PutUserPolicy",
	Doc:     "Writes an inline policy of a user, in place of the one of that name.",
	Example: PutUserPolicyInput{UserName: "ada", PolicyName: "look", PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}`},
	On:      on(onUser(func(in *PutUserPolicyInput) string { return in.UserName })),
	Run:     putUserPolicy,
})

func putUserPolicy(ctx context.Context, api *API, who action.Caller, in *PutUserPolicyInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		return api.putInline(tx, ofUser(u), in.PolicyName, in.PolicyDocument)
	})
}
