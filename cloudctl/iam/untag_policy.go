package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UntagPolicyInput names a policy and keys of tags.
type UntagPolicyInput struct {
	PolicyArn string
	TagKeys   []string
}

var _ = action.Add(Catalog, action.Def[*API, UntagPolicyInput, action.Nothing]{
	Name:    "UntagPolicy",
	Doc:     "Takes tags from a policy.",
	Example: UntagPolicyInput{PolicyArn: "arn:aws:iam::111122223333:policy/look", TagKeys: []string{"team"}},
	On:      on(onPolicy(func(in *UntagPolicyInput) string { return in.PolicyArn })),
	Run:     untagPolicy,
})

func untagPolicy(ctx context.Context, api *API, who action.Caller, in *UntagPolicyInput) (*action.Nothing, error) {
	return nil, api.withPolicy(ctx, who, in.PolicyArn, func(tx *store.Tx, p *store.ManagedPolicy) error {
		for _, key := range in.TagKeys {
			dropTag(&p.Tags, key)
		}
		return api.putPolicy(tx, p)
	})
}
