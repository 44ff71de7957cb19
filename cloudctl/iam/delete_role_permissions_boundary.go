package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// DeleteRolePermissionsBoundaryInput names a role.
type DeleteRolePermissionsBoundaryInput struct {
	RoleName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteRolePermissionsBoundaryInput, action.Nothing]{
	Name:    "DeleteRolePermissionsBoundary",
	Doc:     "Takes the bound from what a role may.",
	Example: DeleteRolePermissionsBoundaryInput{RoleName: "web"},
	On:      on(onRole(func(in *DeleteRolePermissionsBoundaryInput) string { return in.RoleName })),
	Run:     deleteRolePermissionsBoundary,
})

func deleteRolePermissionsBoundary(ctx context.Context, api *API, who action.Caller, in *DeleteRolePermissionsBoundaryInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		if r.Boundary == "" {
			return fault.New(fault.Missing, "NoSuchEntity", "Role %s does not have a permission boundary.", r.Name)
		}
		r.Boundary = ""
		return api.putRole(tx, r)
	})
}
