package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DetachRolePolicyInput names a policy and a role.
type DetachRolePolicyInput struct {
	RoleName  string
	PolicyArn string
}

var _ = action.Add(Catalog, action.Def[*API, DetachRolePolicyInput, action.Nothing]{
	Name:    "DetachRolePolicy",
	Doc:     "Takes a managed policy from a role.",
	Example: DetachRolePolicyInput{RoleName: "web", PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On: on(func(t *things, in *DetachRolePolicyInput) error {
		err := t.role(in.RoleName)
		t.withPolicy(in.PolicyArn)
		return err
	}),
	Run: detachRolePolicy,
})

func detachRolePolicy(ctx context.Context, api *API, who action.Caller, in *DetachRolePolicyInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		return api.detach(tx, ofRole(r), in.PolicyArn)
	})
}
