package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UpdateSigningCertificateInput says whether a certificate is good.
type UpdateSigningCertificateInput struct {
	UserName      *string // absent: who calls
	CertificateId string
	Status        string
}

var _ = action.Add(Catalog, action.Def[*API, UpdateSigningCertificateInput, action.Nothing]{
	Name:    "UpdateSigningCertificate",
	Doc:     "Disables a certificate of a user, or makes it good again.",
	Example: UpdateSigningCertificateInput{UserName: ptr("ada"), CertificateId: "TA7SMP42TDN5Z26OBPJE7EXAMPLE", Status: "Inactive"},
	On:      on(func(t *things, in *UpdateSigningCertificateInput) error { return t.user(in.UserName) }),
	Run:     updateSigningCertificate,
})

func updateSigningCertificate(ctx context.Context, api *API, who action.Caller, in *UpdateSigningCertificateInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		c, err := signingCertificateOf(tx, who, in.UserName, in.CertificateId)
		if err != nil {
			return err
		}
		c.Active = in.Status == status(true)
		if err := tx.Put(c); err != nil {
			return err
		}
		return api.announceSigning(tx, c, changed)
	})
}
