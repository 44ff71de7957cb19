package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteRolePolicyInput names a policy of a role.
type DeleteRolePolicyInput struct {
	RoleName   string
	PolicyName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteRolePolicyInput, action.Nothing]{
	Name:    "DeleteRolePolicy",
	Doc:     "Deletes an inline policy of a role.",
	Example: DeleteRolePolicyInput{RoleName: "web", PolicyName: "look"},
	On:      on(onRole(func(in *DeleteRolePolicyInput) string { return in.RoleName })),
	Run:     deleteRolePolicy,
})

func deleteRolePolicy(ctx context.Context, api *API, who action.Caller, in *DeleteRolePolicyInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		return api.dropInline(tx, ofRole(r), in.PolicyName)
	})
}
