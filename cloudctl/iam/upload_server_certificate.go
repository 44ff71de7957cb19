package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// UploadServerCertificateInput is a certificate with its key.
type UploadServerCertificateInput struct {
	Path                  *string
	ServerCertificateName string
	CertificateBody       string
	PrivateKey            string
	CertificateChain      *string
	Tags                  []Tag
}

// UploadServerCertificateOutput is what is known of the certificate.
type UploadServerCertificateOutput struct {
	ServerCertificateMetadata *ServerCertificateMetadata
	Tags                      []Tag
}

var _ = action.Add(Catalog, action.Def[*API, UploadServerCertificateInput, UploadServerCertificateOutput]{
	Name:    "UploadServerCertificate",
	Doc:     "Keeps a certificate with its key, for services of the account; the key is never shown.",
	Example: UploadServerCertificateInput{ServerCertificateName: "www", CertificateBody: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", PrivateKey: "PEM"},
	On: on(func(t *things, in *UploadServerCertificateInput) error {
		t.add(arn(t.who.Account, "server-certificate", val(in.Path), in.ServerCertificateName), nil)
		t.tagged("iam:TagServerCertificate", in.Tags)
		return nil
	}),
	Run: uploadServerCertificate,
})

func uploadServerCertificate(ctx context.Context, api *API, who action.Caller, in *UploadServerCertificateInput) (*UploadServerCertificateOutput, error) {
	c, err := api.newServerCertificate(who.Account, in)
	if err != nil {
		return nil, err
	}
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		has, err := tx.ServerCertificates(who.Account, "", "", 0)
		if err != nil {
			return err
		}
		for _, other := range has {
			if other.Folded == c.Folded {
				return fault.New(fault.Conflict, "EntityAlreadyExists", "The Server Certificate with name %s already exists.", c.Name)
			}
		}
		if err := quota.Check(tx, who, "iam:quota-servercertificatenumber", 1); err != nil {
			return err
		}
		c.Creator = quota.Creator(who)
		if err := tx.Add(c); err != nil {
			return err
		}
		return api.announceServing(tx, c, created)
	})
	if err != nil {
		return nil, err
	}
	return &UploadServerCertificateOutput{ServerCertificateMetadata: ptr(showServerCertificate(c)), Tags: tagList(c.Tags)}, nil
}

// newServerCertificate returns the row of a certificate that is in order, its
// key sealed.
func (api *API) newServerCertificate(account string, in *UploadServerCertificateInput) (*store.ServerCertificate, error) {
	if err := checkName("serverCertificateName", in.ServerCertificateName); err != nil {
		return nil, err
	}
	path, err := checkPath(val(in.Path))
	if err != nil {
		return nil, err
	}
	parsed, err := parseCertificate(in.CertificateBody)
	if err != nil {
		return nil, err
	}
	if err := checkChain(val(in.CertificateChain)); err != nil {
		return nil, err
	}
	if err := checkKey(in.CertificateBody, in.PrivateKey); err != nil {
		return nil, err
	}
	id, err := api.newID("ASCA")
	if err != nil {
		return nil, err
	}
	c := &store.ServerCertificate{
		ID: id, Account: account, Name: in.ServerCertificateName, Folded: store.Fold(in.ServerCertificateName), Path: path,
		Body: in.CertificateBody, Chain: val(in.CertificateChain), Sealed: api.Vault.Seal(id, in.PrivateKey),
		Created: api.Clock(), Expires: parsed.NotAfter,
	}
	return c, setTags(&c.Tags, in.Tags)
}
