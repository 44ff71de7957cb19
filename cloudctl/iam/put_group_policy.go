package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// PutGroupPolicyInput is a policy for a group.
type PutGroupPolicyInput struct {
	GroupName      string
	PolicyName     string
	PolicyDocument string
}

var _ = action.Add(Catalog, action.Def[*API, PutGroupPolicyInput, action.Nothing]{
	Name:    "PutGroupPolicy",
	Doc:     "Writes an inline policy of a group, in place of the one of that name.",
	Example: PutGroupPolicyInput{GroupName: "physicists", PolicyName: "look", PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}`},
	On:      on(onGroup(func(in *PutGroupPolicyInput) string { return in.GroupName })),
	Run:     putGroupPolicy,
})

func putGroupPolicy(ctx context.Context, api *API, who action.Caller, in *PutGroupPolicyInput) (*action.Nothing, error) {
	return nil, api.withGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) error {
		return api.putInline(tx, ofGroup(g), in.PolicyName, in.PolicyDocument)
	})
}
