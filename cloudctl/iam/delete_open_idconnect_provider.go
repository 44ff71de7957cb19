package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteOpenIDConnectProviderInput names a provider.
type DeleteOpenIDConnectProviderInput struct {
	OpenIDConnectProviderArn string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteOpenIDConnectProviderInput, action.Nothing]{
	Name:    "DeleteOpenIDConnectProvider",
	Doc:     "Forgets an OIDC provider: its identities take no role any more.",
	Example: DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: "arn:aws:iam::111122223333:oidc-provider/login.example.com"},
	On:      on(onProvider(func(in *DeleteOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn })),
	Run:     deleteOpenIDConnectProvider,
})

func deleteOpenIDConnectProvider(ctx context.Context, api *API, who action.Caller, in *DeleteOpenIDConnectProviderInput) (*action.Nothing, error) {
	return nil, api.withProvider(ctx, who, in.OpenIDConnectProviderArn, func(tx *store.Tx, p *store.OIDCProvider) error {
		if err := tx.Drop(p); err != nil {
			return err
		}
		return api.announceProvider(tx, p, deleted)
	})
}
