package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UntagOpenIDConnectProviderInput names an OIDC provider and keys of tags.
type UntagOpenIDConnectProviderInput struct {
	OpenIDConnectProviderArn string
	TagKeys                  []string
}

var _ = action.Add(Catalog, action.Def[*API, UntagOpenIDConnectProviderInput, action.Nothing]{
	Name:    "UntagOpenIDConnectProvider",
	Doc:     "Takes tags from an OIDC provider.",
	Example: UntagOpenIDConnectProviderInput{OpenIDConnectProviderArn: "arn:aws:iam::111122223333:oidc-provider/login.example.com", TagKeys: []string{"team"}},
	On:      on(onProvider(func(in *UntagOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn })),
	Run:     untagOpenIDConnectProvider,
})

func untagOpenIDConnectProvider(ctx context.Context, api *API, who action.Caller, in *UntagOpenIDConnectProviderInput) (*action.Nothing, error) {
	return nil, api.withProvider(ctx, who, in.OpenIDConnectProviderArn, func(tx *store.Tx, p *store.OIDCProvider) error {
		for _, key := range in.TagKeys {
			dropTag(&p.Tags, key)
		}
		return api.putProvider(tx, p)
	})
}
