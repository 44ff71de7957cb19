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
	return out, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) (err error) {
		r.Description = in.Description
		if out.Role, err = fullRole(tx, r); err != nil {
			return err
		}
		return api.putRole(tx, r)
	})
}
