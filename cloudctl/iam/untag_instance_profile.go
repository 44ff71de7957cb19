package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UntagInstanceProfileInput names an instance profile and keys of tags.
type UntagInstanceProfileInput struct {
	InstanceProfileName string
	TagKeys             []string
}

var _ = action.Add(Catalog, action.Def[*API, UntagInstanceProfileInput, action.Nothing]{
	Name:    "UntagInstanceProfile",
	Doc:     "Takes tags from an instance profile.",
	Example: UntagInstanceProfileInput{InstanceProfileName: "web", TagKeys: []string{"team"}},
	On:      on(onProfile(func(in *UntagInstanceProfileInput) string { return in.InstanceProfileName })),
	Run:     untagInstanceProfile,
})

func untagInstanceProfile(ctx context.Context, api *API, who action.Caller, in *UntagInstanceProfileInput) (*action.Nothing, error) {
	return nil, api.withProfile(ctx, who, in.InstanceProfileName, func(tx *store.Tx, p *store.InstanceProfile) error {
		for _, key := range in.TagKeys {
			dropTag(&p.Tags, key)
		}
		return api.putProfile(tx, p)
	})
}
