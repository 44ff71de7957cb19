package iam

import (
	"cmp"
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// UpdateServerCertificateInput says what a certificate is called from now on.
type UpdateServerCertificateInput struct {
	ServerCertificateName    string
	NewPath                  *string
	NewServerCertificateName *string
}

var _ = action.Add(Catalog, action.Def[*API, UpdateServerCertificateInput, action.Nothing]{
	Name:    "UpdateServerCertificate",
	Doc:     "Gives a server certificate another name or path.",
	Example: UpdateServerCertificateInput{ServerCertificateName: "www", NewPath: ptr("/web/")},
	On: on(func(t *things, in *UpdateServerCertificateInput) error {
		if err := t.serverCertificate(in.ServerCertificateName); err != nil {
			return err
		}
		if in.NewServerCertificateName != nil || in.NewPath != nil {
			t.add(arn(t.who.Account, "server-certificate", val(in.NewPath), cmp.Or(val(in.NewServerCertificateName), in.ServerCertificateName)), nil)
		}
		return nil
	}),
	Run: updateServerCertificate,
})

func updateServerCertificate(ctx context.Context, api *API, who action.Caller, in *UpdateServerCertificateInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.ServerCertificate(who.Account, in.ServerCertificateName)
		if err != nil {
			return err
		}
		if in.NewPath != nil {
			if c.Path, err = checkPath(*in.NewPath); err != nil {
				return err
			}
		}
		if in.NewServerCertificateName != nil {
			if err := checkName("newServerCertificateName", *in.NewServerCertificateName); err != nil {
				return err
			}
			if other, err := tx.ServerCertificate(who.Account, *in.NewServerCertificateName); err == nil && other.ID != c.ID {
				return fault.New(fault.Conflict, "EntityAlreadyExists", "The Server Certificate with name %s already exists.", *in.NewServerCertificateName)
			}
			c.Name, c.Folded = *in.NewServerCertificateName, store.Fold(*in.NewServerCertificateName)
		}
		return api.putServing(tx, c)
	})
}
