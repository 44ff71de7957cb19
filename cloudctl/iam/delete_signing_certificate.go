package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteSigningCertificateInput names a certificate.
type DeleteSigningCertificateInput struct {
	UserName      *string // absent: who calls
	CertificateId string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteSigningCertificateInput, action.Nothing]{
	Name:    "DeleteSigningCertificate",
	Doc:     "Deletes a certificate of a user.",
	Example: DeleteSigningCertificateInput{UserName: ptr("ada"), CertificateId: "TA7SMP42TDN5Z26OBPJE7EXAMPLE"},
	On:      on(func(t *things, in *DeleteSigningCertificateInput) error { return t.user(in.UserName) }),
	Run:     deleteSigningCertificate,
})

func deleteSigningCertificate(ctx context.Context, api *API, who action.Caller, in *DeleteSigningCertificateInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		c, err := signingCertificateOf(tx, who, in.UserName, in.CertificateId)
		if err != nil {
			return err
		}
		if err := tx.Drop(c); err != nil {
			return err
		}
		return api.announceSigning(tx, c, deleted)
	})
}
