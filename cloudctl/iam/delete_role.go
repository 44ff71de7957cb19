package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteRoleInput names a role.
type DeleteRoleInput struct {
	RoleName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteRoleInput, action.Nothing]{
	Name:    "DeleteRole",
	Doc:     "Deletes a role that has neither policies nor instance profiles; its sessions end.",
	Example: DeleteRoleInput{RoleName: "web"},
	On:      on(onRole(func(in *DeleteRoleInput) string { return in.RoleName })),
	Run:     deleteRole,
})

func deleteRole(ctx context.Context, api *API, who action.Caller, in *DeleteRoleInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		if err := roleMayGo(tx, r); err != nil {
			return err
		}
		if err := tx.Drop(r); err != nil {
			return err
		}
		return api.announceRole(tx, r, deleted)
	})
}

// roleMayGo refuses a role that still has something.
func roleMayGo(tx *store.Tx, r *store.Role) error {
	for _, hold := range []struct {
		what string
		has  func() (bool, error)
	}{
		{"remove roles from instance profile", func() (bool, error) { return some(tx.InstanceProfilesOfRole(r.ID)) }},
		{"detach all policies", func() (bool, error) { return some(tx.AttachedTo(r.ID)) }},
		{"delete policies", func() (bool, error) { return some(tx.InlinePolicies(r.ID)) }},
	} {
		has, err := hold.has()
		if err != nil {
			return err
		}
		if has {
			return conflict(hold.what)
		}
	}
	return nil
}
