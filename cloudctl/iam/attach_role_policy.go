package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// AttachRolePolicyInput names a policy and a role.
type AttachRolePolicyInput struct {
	RoleName  string
	PolicyArn string
}

var _ = action.Add(Catalog, action.Def[*API, AttachRolePolicyInput, action.Nothing]{
	Name:    "AttachRolePolicy",
	Doc:     "Gives a managed policy to a role.",
	Example: AttachRolePolicyInput{RoleName: "web", PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On: on(func(t *things, in *AttachRolePolicyInput) error {
		err := t.role(in.RoleName)
		t.withPolicy(in.PolicyArn)
		return err
	}),
	Run: attachRolePolicy,
})

func attachRolePolicy(ctx context.Context, api *API, who action.Caller, in *AttachRolePolicyInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		return api.attach(tx, ofRole(r), in.PolicyArn)
	})
}
