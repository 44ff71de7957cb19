package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListRoleTagsInput names a role.
type ListRoleTagsInput struct {
	RoleName string
	Marker   *string
	MaxItems *int
}

// ListRoleTagsOutput is a page of tags.
type ListRoleTagsOutput struct {
	Tags        []Tag
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListRoleTagsInput, ListRoleTagsOutput]{
	Name:    "ListRoleTags",
	Doc:     "Lists the tags of a role.",
	Example: ListRoleTagsInput{RoleName: "web"},
	On:      on(onRole(func(in *ListRoleTagsInput) string { return in.RoleName })),
	List:    &action.List{},
	Run:     listRoleTags,
})

func listRoleTags(ctx context.Context, api *API, who action.Caller, in *ListRoleTagsInput) (*ListRoleTagsOutput, error) {
	out := &ListRoleTagsOutput{}
	err := api.viewRole(ctx, who, in.RoleName, func(_ *store.Tx, r *store.Role) (err error) {
		out.Tags, out.Marker, err = tagPage(ctx, r.Tags)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
