package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListOpenIDConnectProvidersInput is empty.
type ListOpenIDConnectProvidersInput struct{}

// ListOpenIDConnectProvidersOutput names all providers.
type ListOpenIDConnectProvidersOutput struct {
	OpenIDConnectProviderList []OpenIDConnectProvider
}

// OpenIDConnectProvider names a provider.
type OpenIDConnectProvider struct{ Arn string }

var _ = action.Add(Catalog, action.Def[*API, ListOpenIDConnectProvidersInput, ListOpenIDConnectProvidersOutput]{
	Name: "ListOpenIDConnectProviders",
	Doc:  "Lists the OIDC providers of the account.",
	On:   onAccount[ListOpenIDConnectProvidersInput]("oidc-provider"),
	Run:  listOpenIDConnectProviders,
})

func listOpenIDConnectProviders(ctx context.Context, api *API, who action.Caller, _ *ListOpenIDConnectProvidersInput) (*ListOpenIDConnectProvidersOutput, error) {
	out := &ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []OpenIDConnectProvider{}}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.OIDCProviders(who.Account)
		for _, p := range rows {
			out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, OpenIDConnectProvider{p.ARN})
		}
		return err
	})
}
