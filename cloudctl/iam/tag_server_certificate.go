package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// TagServerCertificateInput names a server certificate and tags.
type TagServerCertificateInput struct {
	ServerCertificateName string
	Tags                  []Tag
}

var _ = action.Add(Catalog, action.Def[*API, TagServerCertificateInput, action.Nothing]{
	Name:    "TagServerCertificate",
	Doc:     "Gives a server certificate tags.",
	Example: TagServerCertificateInput{ServerCertificateName: "www", Tags: []Tag{{Key: "team", Value: "lasers"}}},
	On: on(func(t *things, in *TagServerCertificateInput) error {
		return t.serverCertificate(in.ServerCertificateName)
	}),
	Run: tagServerCertificate,
})

func tagServerCertificate(ctx context.Context, api *API, who action.Caller, in *TagServerCertificateInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.ServerCertificate(who.Account, in.ServerCertificateName)
		if err != nil {
			return err
		}
		if err := setTags(&c.Tags, in.Tags); err != nil {
			return err
		}
		return api.putServing(tx, c)
	})
}
