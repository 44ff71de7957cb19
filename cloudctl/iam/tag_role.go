package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// TagRoleInput names a role and tags.
type TagRoleInput struct {
	RoleName string
	Tags     []Tag
}

var _ = action.Add(Catalog, action.Def[*API, TagRoleInput, action.Nothing]{
	Name:    "TagRole",
	Doc:     "Gives a role tags.",
	Example: TagRoleInput{RoleName: "web", Tags: []Tag{{Key: "team", Value: "lasers"}}},
	On:      on(onRole(func(in *TagRoleInput) string { return in.RoleName })),
	Run:     tagRole,
})

func tagRole(ctx context.Context, api *API, who action.Caller, in *TagRoleInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		if err := setTags(&r.Tags, in.Tags); err != nil {
			return err
		}
		return api.putRole(tx, r)
	})
}
