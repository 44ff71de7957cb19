package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// AddClientIDToOpenIDConnectProviderInput names a provider and an audience.
type AddClientIDToOpenIDConnectProviderInput struct {
	OpenIDConnectProviderArn string
	ClientID                 string
}

var _ = action.Add(Catalog, action.Def[*API, AddClientIDToOpenIDConnectProviderInput, action.Nothing]{
	Name:    "AddClientIDToOpenIDConnectProvider",
	Doc:     "Adds an audience that the tokens of an OIDC provider may be for.",
	Example: AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: "arn:aws:iam::111122223333:oidc-provider/login.example.com", ClientID: "sts.amazonaws.com"},
	On:      on(onProvider(func(in *AddClientIDToOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn })),
	Run:     addClientIDToOpenIDConnectProvider,
})

func addClientIDToOpenIDConnectProvider(ctx context.Context, api *API, who action.Caller, in *AddClientIDToOpenIDConnectProviderInput) (*action.Nothing, error) {
	return nil, api.withProvider(ctx, who, in.OpenIDConnectProviderArn, func(tx *store.Tx, p *store.OIDCProvider) error {
		if err := addClient(p, in.ClientID); err != nil {
			return err
		}
		return api.putProvider(tx, p)
	})
}
