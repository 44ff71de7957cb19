package iam

import (
	"context"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetOpenIDConnectProviderInput names a provider.
type GetOpenIDConnectProviderInput struct {
	OpenIDConnectProviderArn string
}

// GetOpenIDConnectProviderOutput is the provider.
type GetOpenIDConnectProviderOutput struct {
	Url            string // without https://
	ClientIDList   []string
	ThumbprintList []string
	CreateDate     time.Time
	Tags           []Tag
}

var _ = action.Add(Catalog, action.Def[*API, GetOpenIDConnectProviderInput, GetOpenIDConnectProviderOutput]{
	Name:    "GetOpenIDConnectProvider",
	Doc:     "Shows an OIDC provider.",
	Example: GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: "arn:aws:iam::111122223333:oidc-provider/login.example.com"},
	On:      on(onProvider(func(in *GetOpenIDConnectProviderInput) string { return in.OpenIDConnectProviderArn })),
	Run:     getOpenIDConnectProvider,
})

func getOpenIDConnectProvider(ctx context.Context, api *API, who action.Caller, in *GetOpenIDConnectProviderInput) (*GetOpenIDConnectProviderOutput, error) {
	out := &GetOpenIDConnectProviderOutput{}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		p, err := tx.OIDCProvider(who.Account, in.OpenIDConnectProviderArn)
		if err == nil {
			*out = GetOpenIDConnectProviderOutput{Url: p.URL, ClientIDList: p.Clients, ThumbprintList: p.Thumbprints, CreateDate: p.Created, Tags: tagList(p.Tags)}
		}
		return err
	})
}
