package iam

import (
	"context"
	"slices"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// RemoveClientIDFromOpenIDConnectProviderInput names a provider and an audience.
type RemoveClientIDFromOpenIDConnectProviderInput struct {
	OpenIDConnectProviderArn string
	ClientID                 string
}

var _ = action.Add(Catalog, action.Def[*API, RemoveClientIDFromOpenIDConnectProviderInput, action.Nothing]{
	Name:    "RemoveClientIDFromOpenIDConnectProvider",
	Doc:     "Removes an audience from an OIDC provider.",
	Example: RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: "arn:aws:iam::111122223333:oidc-provider/login.example.com", ClientID: "sts.amazonaws.com"},
	On:      on(onProvider(func(in *RemoveClientIDFromOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn })),
	Run:     removeClientIDFromOpenIDConnectProvider,
})

func removeClientIDFromOpenIDConnectProvider(ctx context.Context, api *API, who action.Caller, in *RemoveClientIDFromOpenIDConnectProviderInput) (*action.Nothing, error) {
	return nil, api.withProvider(ctx, who, in.OpenIDConnectProviderArn, func(tx *store.Tx, p *store.OIDCProvider) error {
		p.Clients = slices.DeleteFunc(p.Clients, func(id string) bool { return id == in.ClientID })
		return api.putProvider(tx, p)
	})
}
