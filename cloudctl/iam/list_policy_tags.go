package iam

import (
	"context"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListPolicyTagsInput names a policy.
type ListPolicyTagsInput struct {
	PolicyArn string
	Marker    *string
	MaxItems  *int
}

// ListPolicyTagsOutput is a page of tags.
type ListPolicyTagsOutput struct {
	Tags        []Tag
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListPolicyTagsInput, ListPolicyTagsOutput]{
	Name:    "ListPolicyTags",
	Doc:     "Lists the tags of a policy.",
	Example: ListPolicyTagsInput{PolicyArn: "arn:aws:iam::111122223333:policy/look"},
	On:      on(onReadPolicy(func(in *ListPolicyTagsInput) string { return in.PolicyArn })),
	List:    &action.List{},
	Run:     listPolicyTags,
})

func listPolicyTags(ctx context.Context, api *API, who action.Caller, in *ListPolicyTagsInput) (*ListPolicyTagsOutput, error) {
	out := &ListPolicyTagsOutput{Tags: []Tag{}}
	if managed.Of(in.PolicyArn) != nil {
		return out, nil // the cloud's own have none
	}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		p, err := ownPolicy(tx, who.Account, in.PolicyArn)
		if err == nil {
			out.Tags, out.Marker, err = tagPage(ctx, p.Tags)
		}
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
