package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListInstanceProfileTagsInput names an instance profile.
type ListInstanceProfileTagsInput struct {
	InstanceProfileName string
	Marker              *string
	MaxItems            *int
}

// ListInstanceProfileTagsOutput is a page of tags.
type ListInstanceProfileTagsOutput struct {
	Tags        []Tag
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListInstanceProfileTagsInput, ListInstanceProfileTagsOutput]{
	Name:    "ListInstanceProfileTags",
	Doc:     "Lists the tags of an instance profile.",
	Example: ListInstanceProfileTagsInput{InstanceProfileName: "web"},
	On:      on(onProfile(func(in *ListInstanceProfileTagsInput) string { return in.InstanceProfileName })),
	List:    &action.List{},
	Run:     listInstanceProfileTags,
})

func listInstanceProfileTags(ctx context.Context, api *API, who action.Caller, in *ListInstanceProfileTagsInput) (*ListInstanceProfileTagsOutput, error) {
	out := &ListInstanceProfileTagsOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		p, err := tx.InstanceProfile(who.Account, in.InstanceProfileName)
		if err == nil {
			out.Tags, out.Marker, err = tagPage(ctx, p.Tags)
		}
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
