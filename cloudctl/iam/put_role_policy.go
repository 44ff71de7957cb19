package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// PutRolePolicyInput is a policy for a role.
type PutRolePolicyInput struct {
	RoleName       string
	PolicyName     string
	PolicyDocument string
}

var _ = action.Add(Catalog, action.Def[*API, PutRolePolicyInput, action.Nothing]{
	Name:    "PutRolePolicy",
	Doc:     "Writes an inline policy of a role, in place of the one of that name.",
	Example: PutRolePolicyInput{RoleName: "web", PolicyName: "look", PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}`},
	On:      on(onRole(func(in *PutRolePolicyInput) string { return in.RoleName })),
	Run:     putRolePolicy,
})

func putRolePolicy(ctx context.Context, api *API, who action.Caller, in *PutRolePolicyInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		return api.putInline(tx, ofRole(r), in.PolicyName, in.PolicyDocument)
	})
}
