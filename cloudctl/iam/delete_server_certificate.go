package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteServerCertificateInput names a certificate.
type DeleteServerCertificateInput struct {
	ServerCertificateName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteServerCertificateInput, action.Nothing]{
	Name:    "DeleteServerCertificate",
	Doc:     "Deletes a server certificate and its key.",
	Example: DeleteServerCertificateInput{ServerCertificateName: "www"},
	On: on(func(t *things, in *DeleteServerCertificateInput) error {
		return t.serverCertificate(in.ServerCertificateName)
	}),
	Run: deleteServerCertificate,
})

func deleteServerCertificate(ctx context.Context, api *API, who action.Caller, in *DeleteServerCertificateInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.ServerCertificate(who.Account, in.ServerCertificateName)
		if err != nil {
			return err
		}
		if err := tx.Drop(c); err != nil {
			return err
		}
		return api.announceServing(tx, c, deleted)
	})
}
