package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UntagServerCertificateInput names a server certificate and keys of tags.
type UntagServerCertificateInput struct {
	ServerCertificateName string
	TagKeys               []string
}

var _ = action.Add(Catalog, action.Def[*API, UntagServerCertificateInput, action.Nothing]{
	Name:    "UntagServerCertificate",
	Doc:     "Takes tags from a server certificate.",
	Example: UntagServerCertificateInput{ServerCertificateName: "www", TagKeys: []string{"team"}},
	On: on(func(t *things, in *UntagServerCertificateInput) error {
		return t.serverCertificate(in.ServerCertificateName)
	}),
	Run: untagServerCertificate,
})

func untagServerCertificate(ctx context.Context, api *API, who action.Caller, in *UntagServerCertificateInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.ServerCertificate(who.Account, in.ServerCertificateName)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			dropTag(&c.Tags, key)
		}
		return api.putServing(tx, c)
	})
}
