package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// TagPolicyInput names a policy and tags.
type TagPolicyInput struct {
	PolicyArn string
	Tags      []Tag
}

var _ = action.Add(Catalog, action.Def[*API, TagPolicyInput, action.Nothing]{
	Name:    "TagPolicy",
	Doc:     "Gives a policy tags.",
	Example: TagPolicyInput{PolicyArn: "arn:aws:iam::111122223333:policy/look", Tags: []Tag{{Key: "team", Value: "lasers"}}},
	On:      on(onPolicy(func(in *TagPolicyInput) string { return in.PolicyArn })),
	Run:     tagPolicy,
})

func tagPolicy(ctx context.Context, api *API, who action.Caller, in *TagPolicyInput) (*action.Nothing, error) {
	return nil, api.withPolicy(ctx, who, in.PolicyArn, func(tx *store.Tx, p *store.ManagedPolicy) error {
		if err := setTags(&p.Tags, in.Tags); err != nil {
			return err
		}
		return api.putPolicy(tx, p)
	})
}
