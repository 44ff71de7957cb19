package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// TagInstanceProfileInput names an instance profile and tags.
type TagInstanceProfileInput struct {
	InstanceProfileName string
	Tags                []Tag
}

var _ = action.Add(Catalog, action.Def[*API, TagInstanceProfileInput, action.Nothing]{
	Name:    "TagInstanceProfile",
	Doc:     "Gives an instance profile tags.",
	Example: TagInstanceProfileInput{InstanceProfileName: "web", Tags: []Tag{{Key: "team", Value: "lasers"}}},
	On:      on(onProfile(func(in *TagInstanceProfileInput) string { return in.InstanceProfileName })),
	Run:     tagInstanceProfile,
})

func tagInstanceProfile(ctx context.Context, api *API, who action.Caller, in *TagInstanceProfileInput) (*action.Nothing, error) {
	return nil, api.withProfile(ctx, who, in.InstanceProfileName, func(tx *store.Tx, p *store.InstanceProfile) error {
		if err := setTags(&p.Tags, in.Tags); err != nil {
			return err
		}
		return api.putProfile(tx, p)
	})
}
