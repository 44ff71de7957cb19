package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UntagRoleInput names a role and keys of tags.
type UntagRoleInput struct {
	RoleName string
	TagKeys  []string
}

var _ = action.Add(Catalog, action.Def[*API, UntagRoleInput, action.Nothing]{
	Name:    "UntagRole",
	Doc:     "Takes tags from a role.",
	Example: UntagRoleInput{RoleName: "web", TagKeys: []string{"team"}},
	On:      on(onRole(func(in *UntagRoleInput) string { return in.RoleName })),
	Run:     untagRole,
})

func untagRole(ctx context.Context, api *API, who action.Caller, in *UntagRoleInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		for _, key := range in.TagKeys {
			dropTag(&r.Tags, key)
		}
		return api.putRole(tx, r)
	})
}
