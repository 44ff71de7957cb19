package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListUserTagsInput names a user.
type ListUserTagsInput struct {
	UserName string
	Marker   *string
	MaxItems *int
}

// ListUserTagsOutput is a page of tags.
type ListUserTagsOutput struct {
	Tags        []Tag
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListUserTagsInput, ListUserTagsOutput]{
	Name:    "ListUserTags",
	Doc:     "Lists the tags of a user.",
	Example: ListUserTagsInput{UserName: "ada"},
	On:      on(onUser(func(in *ListUserTagsInput) string { return in.UserName })),
	List:    &action.List{},
	Run:     listUserTags,
})

func listUserTags(ctx context.Context, api *API, who action.Caller, in *ListUserTagsInput) (*ListUserTagsOutput, error) {
	out := &ListUserTagsOutput{}
	err := api.viewUser(ctx, who, in.UserName, func(_ *store.Tx, u *store.User) (err error) {
		out.Tags, out.Marker, err = tagPage(ctx, u.Tags)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
