package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// TagOpenIDConnectProviderInput names an OIDC provider and tags.
type TagOpenIDConnectProviderInput struct {
	OpenIDConnectProviderArn string
	Tags                     []Tag
}

var _ = action.Add(Catalog, action.Def[*API, TagOpenIDConnectProviderInput, action.Nothing]{
	Name:    "TagOpenIDConnectProvider",
	Doc:     "Gives an OIDC provider tags.",
	Example: TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: "arn:aws:iam::111122223333:oidc-provider/login.example.com", Tags: []Tag{{Key: "team", Value: "lasers"}}},
	On:      on(onProvider(func(in *TagOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn })),
	Run:     tagOpenIDConnectProvider,
})

func tagOpenIDConnectProvider(ctx context.Context, api *API, who action.Caller, in *TagOpenIDConnectProviderInput) (*action.Nothing, error) {
	return nil, api.withProvider(ctx, who, in.OpenIDConnectProviderArn, func(tx *store.Tx, p *store.OIDCProvider) error {
		if err := setTags(&p.Tags, in.Tags); err != nil {
			return err
		}
		return api.putProvider(tx, p)
	})
}
