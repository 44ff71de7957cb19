package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// PutRolePermissionsBoundaryInput names a role and a policy.
type PutRolePermissionsBoundaryInput struct {
	RoleName            string
	PermissionsBoundary string
}

var _ = action.Add(Catalog, action.Def[*API, PutRolePermissionsBoundaryInput, action.Nothing]{
	Name:    "PutRolePermissionsBoundary",
	Doc:     "Bounds what a role may, whatever its policies allow, by a managed policy.",
	Example: PutRolePermissionsBoundaryInput{RoleName: "web", PermissionsBoundary: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On: on(func(t *things, in *PutRolePermissionsBoundaryInput) error {
		err := t.role(in.RoleName)
		for i := range t.all {
			onBoundary(&t.all[i], in.PermissionsBoundary)
		}
		return err
	}),
	Run: putRolePermissionsBoundary,
})

func putRolePermissionsBoundary(ctx context.Context, api *API, who action.Caller, in *PutRolePermissionsBoundaryInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) (err error) {
		if r.Boundary, err = api.bound(tx, who.Account, in.PermissionsBoundary); err != nil {
			return err
		}
		return api.putRole(tx, r)
	})
}
