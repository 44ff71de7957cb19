package pki

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Revocations is the kind of PEM block that Revoke makes. It may follow the
// certificate of its authority in one text.
const Revocations = "X509 CRL"

// A Serial is the number of a certificate in hexadecimal digits. Its issuer
// never gives it to another one.
type Serial string

// Issued returns the serial of the certificate that a chain from Issue begins
// with, and when it expires.
func Issued(chain []byte) (Serial, time.Time, error) {
	certs, err := certificates(chain)
	if err != nil {
		return "", time.Time{}, err
	}
	return Serial(certs[0].SerialNumber.Text(16)), certs[0].NotAfter, nil
}

// Revoke returns the list, PEM, of the certificates of ours that are not to be
// believed any more. It stands until a newer one takes its place; number must
// grow.
func (c *Credentials) Revoke(number int64, now time.Time, gone []Serial) ([]byte, error) {
	t := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now.Add(-early), NextUpdate: now.Add(rootLife)}
	for _, s := range gone {
		n, ok := new(big.Int).SetString(string(s), 16)
		if !ok {
			return nil, fmt.Errorf("%q is no serial", s)
		}
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: now})
	}
	if c.Chain[0].KeyUsage&x509.KeyUsageCRLSign == 0 {
		return nil, errors.New("this authority is from before revocation and has not renewed its certificate yet")
	}
	der, err := x509.CreateRevocationList(rand.Reader, t, c.Chain[0], c.Key)
	if err != nil {
		return nil, err
	}
	return encode(Revocations, der), nil
}
