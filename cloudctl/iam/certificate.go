package iam

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// maxSigningCertificates is how many a user may have.
const maxSigningCertificates = 2

// SigningCertificate is an X.509 certificate of a user.
type SigningCertificate struct {
	UserName        string
	CertificateId   string
	CertificateBody string
	Status          string
	UploadDate      time.Time
}

// ServerCertificateMetadata is what is known of a server certificate.
type ServerCertificateMetadata struct {
	Path                  string
	ServerCertificateName string
	ServerCertificateId   string
	Arn                   string
	UploadDate            time.Time
	Expiration            time.Time
}

// ServerCertificate is a server certificate without its key, which is never
// shown.
type ServerCertificate struct {
	ServerCertificateMetadata ServerCertificateMetadata
	CertificateBody           string
	CertificateChain          *string
	Tags                      []Tag
}

func showServerCertificate(c *store.ServerCertificate) ServerCertificateMetadata {
	return ServerCertificateMetadata{Path: c.Path, ServerCertificateName: c.Name, ServerCertificateId: c.ID, Arn: c.ARN(), UploadDate: c.Created, Expiration: c.Expires}
}

// parseCertificate reads the one certificate in a text of PEM.
func parseCertificate(text string) (*x509.Certificate, error) {
	malformed := fault.New(fault.Invalid, "MalformedCertificate", "Unable to parse certificate. Please ensure the certificate is in PEM format.")
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, malformed
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, malformed.Because(err)
	}
	return c, nil
}

// checkChain refuses a chain in which something is no certificate.
func checkChain(text string) error {
	malformed := fault.New(fault.Invalid, "MalformedCertificate", "Unable to parse certificate chain. Please ensure the certificates are in PEM format.")
	for rest := []byte(text); len(bytes.TrimSpace(rest)) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return malformed
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return malformed.Because(err)
		}
	}
	return nil
}

// checkKey refuses a private key that is none or is not the certificate's.
func checkKey(certificate, key string) error {
	if block, _ := pem.Decode([]byte(key)); block == nil || block.Headers["DEK-Info"] != "" || block.Type == "ENCRYPTED PRIVATE KEY" {
		return fault.New(fault.Invalid, "MalformedCertificate", "Private Key is malformed or encrypted. It must be in PEM format and unencrypted.")
	}
	if _, err := tls.X509KeyPair([]byte(certificate), []byte(key)); err != nil {
		return fault.New(fault.Invalid, "KeyPairMismatch", "The private key does not match the certificate.")
	}
	return nil
}

// signingCertificateOf returns a certificate of a user, or of who calls.
func signingCertificateOf(tx *store.Tx, who action.Caller, user *string, id string) (*store.SigningCertificate, error) {
	u, err := userOr(tx, who, user)
	if err != nil {
		return nil, err
	}
	holder, _ := idName(u)
	c, err := tx.SigningCertificate(who.Account, id)
	if err == nil && c.User != holder {
		err = fault.New(fault.Missing, "NoSuchEntity", "The Certificate with id %s cannot be found.", id)
	}
	return c, err
}

// serverCertificate notes the server certificate of that name.
func (t *things) serverCertificate(name string) error {
	c, err := t.tx.ServerCertificate(t.who.Account, name)
	switch {
	case err == nil:
		t.add(c.ARN(), c.Tags)
	case fault.KindOf(err) == fault.Missing:
		t.add(arn(t.who.Account, "server-certificate", "/", name), nil)
	default:
		return err
	}
	return nil
}

// announceSigning announces a certificate of a user.
func (api *API) announceSigning(tx *store.Tx, c *store.SigningCertificate, what string) error {
	return api.announce(tx, c.Account, "certificate", c.ID, "", "", what)
}

// announceServing announces a server certificate.
func (api *API) announceServing(tx *store.Tx, c *store.ServerCertificate, what string) error {
	return api.announce(tx, c.Account, "certificate", c.ID, c.Name, c.ARN(), what)
}

// putServing writes a server certificate that was changed.
func (api *API) putServing(tx *store.Tx, c *store.ServerCertificate) error {
	if err := tx.Put(c); err != nil {
		return err
	}
	return api.announceServing(tx, c, changed)
}

func showSigning(user string, c *store.SigningCertificate) SigningCertificate {
	return SigningCertificate{UserName: user, CertificateId: c.ID, CertificateBody: c.Body, Status: status(c.Active), UploadDate: c.Created}
}
