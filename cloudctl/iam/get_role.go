package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetRoleInput names a role.
type GetRoleInput struct {
	RoleName string
}

// GetRoleOutput is the role.
type GetRoleOutput struct{ Role *Role }

var _ = action.Add(Catalog, action.Def[*API, GetRoleInput, GetRoleOutput]{
	Name:    "GetRole",
	Doc:     "Shows a role; its trust policy is percent-encoded.",
	Example: GetRoleInput{RoleName: "web"},
	On:      on(onRole(func(in *GetRoleInput) string { return in.RoleName })),
	Run:     getRole,
})

func getRole(ctx context.Context, api *API, who action.Caller, in *GetRoleInput) (*GetRoleOutput, error) {
	out := &GetRoleOutput{}
	return out, api.viewRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) (err error) {
		out.Role, err = fullRole(tx, r)
		return err
	})
}
