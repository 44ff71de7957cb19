package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UpdateRoleDescriptionInput is what a role is to be described as.
type UpdateRoleDescriptionInput struct {
	RoleName    string
	Description string
}

// UpdateRoleDescriptionOutput is the role.
type UpdateRoleDescriptionOutput struct{ Role *Role }

var _ = action.Add(Catalog, action.Def[*API, UpdateRoleDescriptionInput, UpdateRoleDescriptionOutput]{
	Name:    "UpdateRoleDescription",
	Doc:     "Changes the description of a role.",
	Example: UpdateRoleDescriptionInput{RoleName: "web", Description: "what web servers may"},
	On:      on(onRole(func(in *UpdateRoleDescriptionInput) string { return in.RoleName })),
	Run:     updateRoleDescription,
})

func updateRoleDescription(ctx context.Context, api *API, who action.Caller, in *UpdateRoleDescriptionInput) (*UpdateRoleDescriptionOutput, error) {
	out := &UpdateRoleDescriptionOutput{}
	return out, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		r.Description = in.Description
		out.Role = ptr(fullRole(r))
		return api.putRole(tx, r)
	})
}
