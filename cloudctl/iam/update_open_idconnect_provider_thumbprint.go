package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UpdateOpenIDConnectProviderThumbprintInput names a provider and its certificates.
type UpdateOpenIDConnectProviderThumbprintInput struct {
	OpenIDConnectProviderArn string
	ThumbprintList           []string
}

var _ = action.Add(Catalog, action.Def[*API, UpdateOpenIDConnectProviderThumbprintInput, action.Nothing]{
	Name:    "UpdateOpenIDConnectProviderThumbprint",
	Doc:     "Says by which certificates the server of an OIDC provider is trusted beside the well-known ones.",
	Example: UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: "arn:aws:iam::111122223333:oidc-provider/login.example.com", ThumbprintList: []string{"990f4193972f2becf12ddeda5237f9c952f20d9e"}},
	On:      on(onProvider(func(in *UpdateOpenIDConnectProviderThumbprintInput) string { return in.OpenIDConnectProviderArn })),
	Run:     updateOpenIDConnectProviderThumbprint,
})

func updateOpenIDConnectProviderThumbprint(ctx context.Context, api *API, who action.Caller, in *UpdateOpenIDConnectProviderThumbprintInput) (*action.Nothing, error) {
	return nil, api.withProvider(ctx, who, in.OpenIDConnectProviderArn, func(tx *store.Tx, p *store.OIDCProvider) error {
		var err error
		if p.Thumbprints, err = checkThumbprints(in.ThumbprintList); err != nil {
			return err
		}
		return api.putProvider(tx, p)
	})
}
