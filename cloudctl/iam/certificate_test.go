package iam_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"karri/cloudctl/store"
)

// certificate returns a certificate that signed itself, and its key, as PEM.
func certificate(t *testing.T, name string, until time.Time) (body, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Unix(1, 0), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}))
}

func TestServerCertificates(t *testing.T) {
	w := newWorld(t)
	until := time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC)
	body, key := certificate(t, "www", until)
	other, otherKey := certificate(t, "other", until)
	upload := func(name, body, key, chain string) *iam.UploadServerCertificateInput {
		in := &iam.UploadServerCertificateInput{ServerCertificateName: &name, CertificateBody: &body, PrivateKey: &key, Path: str("/web/")}
		if chain != "" {
			in.CertificateChain = &chain
		}
		return in
	}
	for _, c := range []struct{ body, key, chain, code string }{
		{"junk", key, "", "MalformedCertificate"},
		{body + other, key, "", "MalformedCertificate"},
		{key, key, "", "MalformedCertificate"},
		{body, "junk", "", "MalformedCertificate"},
		{body, strings.Replace(key, "EC PRIVATE KEY-----\n", "EC PRIVATE KEY-----\nDEK-Info: AES-128-CBC,00\n\n", 1), "", "MalformedCertificate"},
		{body, otherKey, "", "KeyPairMismatch"},
		{body, key, "junk", "MalformedCertificate"},
		{body, key, other + key, "MalformedCertificate"},
	} {
		refused(w, c.code, w.root.UploadServerCertificate, upload("www", c.body, c.key, c.chain))
	}
	meta := ok(w, w.root.UploadServerCertificate, upload("www", body, key, other)).ServerCertificateMetadata
	if *meta.Arn != "arn:aws:iam::"+w.account+":server-certificate/web/www" || !meta.Expiration.Equal(until) || !strings.HasPrefix(*meta.ServerCertificateId, "ASCA") {
		t.Errorf("%+v", meta)
	}
	refused(w, "EntityAlreadyExists", w.root.UploadServerCertificate, upload("WWW", body, key, ""))
	got := ok(w, w.root.GetServerCertificate, &iam.GetServerCertificateInput{ServerCertificateName: str("www")}).ServerCertificate
	if *got.CertificateBody != body || *got.CertificateChain != other {
		t.Errorf("%+v", got)
	}
	w.sealed(key)
	ok(w, w.root.UploadServerCertificate, upload("second", body, key, ""))
	refused(w, "EntityAlreadyExists", w.root.UpdateServerCertificate, &iam.UpdateServerCertificateInput{ServerCertificateName: str("www"), NewServerCertificateName: str("Second")})
	ok(w, w.root.UpdateServerCertificate, &iam.UpdateServerCertificateInput{ServerCertificateName: str("www"), NewServerCertificateName: str("site"), NewPath: str("/")})
	ok(w, w.root.TagServerCertificate, &iam.TagServerCertificateInput{ServerCertificateName: str("site"), Tags: []types.Tag{{Key: str("a"), Value: str("b")}}})
	if got := ok(w, w.root.ListServerCertificates, &iam.ListServerCertificatesInput{PathPrefix: str("/web/")}).ServerCertificateMetadataList; len(got) != 1 {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"site", "second"} {
		ok(w, w.root.DeleteServerCertificate, &iam.DeleteServerCertificateInput{ServerCertificateName: &name})
	}
	refused(w, "NoSuchEntity", w.root.DeleteServerCertificate, &iam.DeleteServerCertificateInput{ServerCertificateName: str("site")})
}

// sealed fails the test unless the key of www is in the vault.
func (w *world) sealed(key string) {
	w.Helper()
	err := w.api.Store.View(w.Context(), func(tx *store.Tx) error {
		row, err := tx.ServerCertificate(w.account, "www")
		if err != nil {
			return err
		}
		if strings.Contains(string(row.Sealed), "PRIVATE") {
			w.Error("the key lies open")
		}
		opened, err := w.api.Vault.Unseal(row.ID, row.Sealed)
		if opened != key {
			w.Error("the key is not the one that was given")
		}
		return err
	})
	if err != nil {
		w.Error(err)
	}
}

func TestSigningCertificates(t *testing.T) {
	w := newWorld(t)
	ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	upload := func(body string) *iam.UploadSigningCertificateInput {
		return &iam.UploadSigningCertificateInput{UserName: str("ada"), CertificateBody: &body}
	}
	later := time.Now().Add(time.Hour)
	one, _ := certificate(t, "one", later)
	two, _ := certificate(t, "two", later)
	three, _ := certificate(t, "three", later)
	old, _ := certificate(t, "old", time.Now().Add(-time.Hour))
	refused(w, "MalformedCertificate", w.root.UploadSigningCertificate, upload("junk"))
	refused(w, "InvalidCertificate", w.root.UploadSigningCertificate, upload(old))
	c := ok(w, w.root.UploadSigningCertificate, upload(one)).Certificate
	if c.Status != "Active" || len(*c.CertificateId) < 24 || *c.UserName != "ada" {
		t.Errorf("%+v", c)
	}
	refused(w, "DuplicateCertificate", w.root.UploadSigningCertificate, upload(one+"\n"))
	ok(w, w.root.UploadSigningCertificate, upload(two))
	refused(w, "LimitExceeded", w.root.UploadSigningCertificate, upload(three))
	ok(w, w.root.UpdateSigningCertificate, &iam.UpdateSigningCertificateInput{UserName: str("ada"), CertificateId: c.CertificateId, Status: "Inactive"})
	refused(w, "NoSuchEntity", w.root.DeleteSigningCertificate, &iam.DeleteSigningCertificateInput{CertificateId: c.CertificateId}) // not root's
	refused(w, "DeleteConflict", w.root.DeleteUser, &iam.DeleteUserInput{UserName: str("ada")})
	for _, c := range ok(w, w.root.ListSigningCertificates, &iam.ListSigningCertificatesInput{UserName: str("ada")}).Certificates {
		if (c.Status == "Inactive") != (*c.CertificateBody == one) {
			t.Errorf("%+v", c)
		}
		ok(w, w.root.DeleteSigningCertificate, &iam.DeleteSigningCertificateInput{UserName: str("ada"), CertificateId: c.CertificateId})
	}
	ok(w, w.root.DeleteUser, &iam.DeleteUserInput{UserName: str("ada")})
}
