package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListOpenIDConnectProviderTagsInput names an OIDC provider.
type ListOpenIDConnectProviderTagsInput struct {
	OpenIDConnectProviderArn string
	Marker                   *string
	MaxItems                 *int
}

// ListOpenIDConnectProviderTagsOutput is a page of tags.
type ListOpenIDConnectProviderTagsOutput struct {
	Tags        []Tag
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListOpenIDConnectProviderTagsInput, ListOpenIDConnectProviderTagsOutput]{
	Name:    "ListOpenIDConnectProviderTags",
	Doc:     "Lists the tags of an OIDC provider.",
	Example: ListOpenIDConnectProviderTagsInput{OpenIDConnectProviderArn: "arn:aws:iam::111122223333:oidc-provider/login.example.com"},
	On:      on(onProvider(func(in *ListOpenIDConnectProviderTagsInput) string { return in.OpenIDConnectProviderArn })),
	List:    &action.List{},
	Run:     listOpenIDConnectProviderTags,
})

func listOpenIDConnectProviderTags(ctx context.Context, api *API, who action.Caller, in *ListOpenIDConnectProviderTagsInput) (*ListOpenIDConnectProviderTagsOutput, error) {
	out := &ListOpenIDConnectProviderTagsOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		p, err := tx.OIDCProvider(who.Account, in.OpenIDConnectProviderArn)
		if err == nil {
			out.Tags, out.Marker, err = tagPage(ctx, p.Tags)
		}
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
