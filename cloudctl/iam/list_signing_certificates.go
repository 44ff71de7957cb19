package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListSigningCertificatesInput names a user.
type ListSigningCertificatesInput struct {
	UserName *string // absent: who calls
	Marker   *string
	MaxItems *int
}

// ListSigningCertificatesOutput is a page of certificates.
type ListSigningCertificatesOutput struct {
	Certificates []SigningCertificate
	IsTruncated  bool
	Marker       *string
}

var _ = action.Add(Catalog, action.Def[*API, ListSigningCertificatesInput, ListSigningCertificatesOutput]{
	Name:    "ListSigningCertificates",
	Doc:     "Lists the certificates of a user, or of who calls.",
	Example: ListSigningCertificatesInput{UserName: ptr("ada")},
	On:      on(func(t *things, in *ListSigningCertificatesInput) error { return t.user(in.UserName) }),
	List:    &action.List{},
	Run:     listSigningCertificates,
})

func listSigningCertificates(ctx context.Context, api *API, who action.Caller, in *ListSigningCertificatesInput) (*ListSigningCertificatesOutput, error) {
	out := &ListSigningCertificatesOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		u, err := userOr(tx, who, in.UserName)
		if err != nil {
			return err
		}
		id, name := idName(u)
		rows, err := tx.SigningCertificatesOf(who.Account, id)
		if err != nil {
			return err
		}
		out.Certificates, out.Marker, err = paged(ctx, rows, func(c store.SigningCertificate) string { return c.ID }, func(c *store.SigningCertificate) SigningCertificate {
			return showSigning(name, c)
		})
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
