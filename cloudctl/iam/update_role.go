package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UpdateRoleInput is what a role is to have; what is absent stays.
type UpdateRoleInput struct {
	RoleName           string
	Description        *string
	MaxSessionDuration *int
}

// UpdateRoleOutput is empty.
type UpdateRoleOutput struct{}

var _ = action.Add(Catalog, action.Def[*API, UpdateRoleInput, UpdateRoleOutput]{
	Name:    "UpdateRole",
	Doc:     "Changes the description of a role and how long its sessions may last.",
	Example: UpdateRoleInput{RoleName: "web", MaxSessionDuration: ptr(7200)},
	On:      on(onRole(func(in *UpdateRoleInput) string { return in.RoleName })),
	Run:     updateRole,
})

func updateRole(ctx context.Context, api *API, who action.Caller, in *UpdateRoleInput) (*UpdateRoleOutput, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		if in.Description != nil {
			r.Description = *in.Description
		}
		if in.MaxSessionDuration != nil {
			if err := checkMaxSession(*in.MaxSessionDuration); err != nil {
				return err
			}
			r.MaxSession = *in.MaxSessionDuration
		}
		return api.putRole(tx, r)
	})
}
