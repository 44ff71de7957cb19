package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// UploadSigningCertificateInput is a certificate for a user.
type UploadSigningCertificateInput struct {
	UserName        *string // absent: who calls
	CertificateBody string
}

// UploadSigningCertificateOutput is the certificate.
type UploadSigningCertificateOutput struct{ Certificate *SigningCertificate }

var _ = action.Add(Catalog, action.Def[*API, UploadSigningCertificateInput, UploadSigningCertificateOutput]{
	Name:    "UploadSigningCertificate",
	Doc:     "Gives a user, or who calls, an X.509 certificate.",
	Example: UploadSigningCertificateInput{UserName: ptr("ada"), CertificateBody: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"},
	On:      on(func(t *things, in *UploadSigningCertificateInput) error { return t.user(in.UserName) }),
	Run:     uploadSigningCertificate,
})

func uploadSigningCertificate(ctx context.Context, api *API, who action.Caller, in *UploadSigningCertificateInput) (*UploadSigningCertificateOutput, error) {
	parsed, err := parseCertificate(in.CertificateBody)
	if err != nil {
		return nil, err
	}
	if api.Clock().After(parsed.NotAfter) {
		return nil, fault.New(fault.Invalid, "InvalidCertificate", "The certificate has expired.")
	}
	id, err := api.newID("")
	if err != nil {
		return nil, err
	}
	more, err := api.newID("")
	if err != nil {
		return nil, err
	}
	c := &store.SigningCertificate{ID: id + more[:15], Account: who.Account, Body: in.CertificateBody, Active: true, Created: api.Clock()}
	out := &UploadSigningCertificateOutput{}
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		u, err := userOr(tx, who, in.UserName)
		if err != nil {
			return err
		}
		var name string
		c.User, name = idName(u)
		has, err := tx.SigningCertificatesOf(who.Account, c.User)
		if err != nil {
			return err
		}
		for _, other := range has {
			if old, err := parseCertificate(other.Body); err == nil && old.Equal(parsed) {
				return fault.New(fault.Conflict, "DuplicateCertificate", "The certificate %s is the same.", other.ID)
			}
		}
		if len(has) >= maxSigningCertificates {
			return fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for SigningCertificatesPerUser: %d", maxSigningCertificates)
		}
		if err := quota.Check(tx, who, "iam:quota-signingcertificatenumber", 1); err != nil {
			return err
		}
		c.Creator = quota.Creator(who)
		if err := tx.Add(c); err != nil {
			return err
		}
		out.Certificate = ptr(showSigning(name, c))
		return api.announceSigning(tx, c, created)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
