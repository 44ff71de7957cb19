//go:build real

package export_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"karri/shared/pki"
)

// forge makes credentials with the common name of who, and the DNS name of a
// node that the thief may vouch for.
func forge(t *testing.T, thief *pki.Credentials, key ed25519.PrivateKey, who pki.Identity) *pki.Credentials {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: who.String()},
		DNSNames:  []string{"x.us-east-1b.nodectl.karri"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, thief.Chain[0], key.Public(), thief.Key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return &pki.Credentials{Key: key, Chain: append([]*x509.Certificate{cert}, thief.Chain...), Root: thief.Root}
}
