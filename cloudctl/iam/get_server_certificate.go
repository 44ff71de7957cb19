package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetServerCertificateInput names a certificate.
type GetServerCertificateInput struct {
	ServerCertificateName string
}

// GetServerCertificateOutput is the certificate.
type GetServerCertificateOutput struct{ ServerCertificate *ServerCertificate }

var _ = action.Add(Catalog, action.Def[*API, GetServerCertificateInput, GetServerCertificateOutput]{
	Name:    "GetServerCertificate",
	Doc:     "Shows a server certificate, without its key.",
	Example: GetServerCertificateInput{ServerCertificateName: "www"},
	On: on(func(t *things, in *GetServerCertificateInput) error {
		return t.serverCertificate(in.ServerCertificateName)
	}),
	Run: getServerCertificate,
})

func getServerCertificate(ctx context.Context, api *API, who action.Caller, in *GetServerCertificateInput) (*GetServerCertificateOutput, error) {
	out := &GetServerCertificateOutput{}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		c, err := tx.ServerCertificate(who.Account, in.ServerCertificateName)
		if err == nil {
			out.ServerCertificate = &ServerCertificate{
				ServerCertificateMetadata: showServerCertificate(c), CertificateBody: c.Body, CertificateChain: opt(c.Chain), Tags: tagList(c.Tags),
			}
		}
		return err
	})
}
