// Package pki is the cloud's own certificate authority and what its
// certificates say.
//
// cloudctl holds the root. Every component has an Ed25519 key and one
// certificate whose only name tells who it is: walrus.karri,
// us-east-1a.clusterctl.karri, host7.us-east-1a.nodectl.karri. The certificate
// of a clusterctl is also an authority, but one that is good for the nodes of
// its own zone alone, by its name constraint; so a stolen cluster key speaks
// for one zone, a stolen node key for one node.
//
// On disk a component has key.pem, ca.pem (the root) and cert.pem (its chain),
// each written whole. cert.pem is written last and is the commit: a key
// without it is used again by the next try to join.
package pki

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	rootLife = 20 * 365 * 24 * time.Hour
	certLife = 365 * 24 * time.Hour
	early    = time.Hour // certificates are valid from a little ago, for clocks that are behind
)

// Credentials are a component's key and the certificates that vouch for it.
type Credentials struct {
	Key   ed25519.PrivateKey
	Chain []*x509.Certificate // its own first, without the root
	Root  *x509.Certificate
	Life  time.Duration // of what is issued by them; 0: a year
}

// NewRoot makes the authority of a new cloud.
func NewRoot(now time.Time) (*Credentials, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	t := template("Karri root "+hex.EncodeToString(key.Public().(ed25519.PublicKey)[:4]), now, rootLife)
	t.IsCA, t.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	cert, err := sign(t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &Credentials{Key: key, Chain: []*x509.Certificate{cert}, Root: cert}, nil
}

// Request makes the certificate request of id, PEM, to be answered by Issue.
func Request(key ed25519.PrivateKey, id Identity) ([]byte, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: id.String()}, DNSNames: []string{id.String()},
	}, key)
	if err != nil {
		return nil, err
	}
	return encode("CERTIFICATE REQUEST", der), nil
}

// Requested returns who a certificate request asks to be. Whether it may be
// that is for the caller to decide before it calls Issue.
func Requested(csr []byte) (Identity, ed25519.PublicKey, error) {
	der, err := decode(csr, "CERTIFICATE REQUEST")
	if err != nil {
		return Identity{}, nil, err
	}
	r, err := x509.ParseCertificateRequest(der[0])
	if err != nil {
		return Identity{}, nil, err
	}
	if err := r.CheckSignature(); err != nil {
		return Identity{}, nil, err
	}
	key, ok := r.PublicKey.(ed25519.PublicKey)
	if !ok {
		return Identity{}, nil, errors.New("the key of a component is an Ed25519 key")
	}
	if len(r.DNSNames) != 1 {
		return Identity{}, nil, errors.New("a request has one DNS name")
	}
	id, err := Parse(r.DNSNames[0])
	return id, key, err
}

// Issue answers a certificate request with a chain, PEM. The root issues to
// anyone; a clusterctl to the nodes of its zone.
func (c *Credentials) Issue(csr []byte, now time.Time) ([]byte, error) {
	id, key, err := Requested(csr)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	issuer := c.Chain[0]
	root := issuer.Equal(c.Root)
	if !root {
		by, err := identityOf(issuer)
		if err != nil || !by.MayIssue(id) {
			return nil, fmt.Errorf("%s cannot issue a certificate to %s", by, id)
		}
	}
	t := template(id.String(), now, cmp.Or(c.Life, certLife))
	if t.NotAfter.After(issuer.NotAfter) {
		t.NotAfter = issuer.NotAfter
	}
	t.DNSNames = []string{id.String()}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	if id.Role == Clusterctl {
		t.IsCA, t.MaxPathLenZero = true, true
		t.KeyUsage |= x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		t.PermittedDNSDomainsCritical = true
		t.PermittedDNSDomains = []string{id.Zone + "." + Nodectl + domain}
	}
	cert, err := sign(t, issuer, key, c.Key)
	if err != nil {
		return nil, err
	}
	chain := encode("CERTIFICATE", cert.Raw)
	if !root {
		for _, up := range c.Chain {
			chain = append(chain, encode("CERTIFICATE", up.Raw)...)
		}
	}
	return chain, nil
}

// Enrolled returns the credentials that a chain from Issue makes of key, after
// checking that they are whole and good.
func Enrolled(key ed25519.PrivateKey, chain, root []byte, now time.Time) (*Credentials, error) {
	c := &Credentials{Key: key}
	var err error
	if c.Chain, err = certificates(chain); err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	roots, err := certificates(root)
	if err != nil {
		return nil, fmt.Errorf("root: %w", err)
	}
	c.Root = roots[0]
	if _, err := Verify(c.Chain, c.Root, now); err != nil {
		return nil, err
	}
	if pub, ok := c.Chain[0].PublicKey.(ed25519.PublicKey); !ok || !pub.Equal(key.Public()) {
		return nil, errors.New("the certificate is for another key")
	}
	return c, nil
}

// Identity returns who the credentials speak for; zero for the root itself.
func (c *Credentials) Identity() Identity {
	id, _ := identityOf(c.Chain[0])
	return id
}

// TLS returns the credentials in the form that crypto/tls takes.
func (c *Credentials) TLS() tls.Certificate {
	t := tls.Certificate{PrivateKey: c.Key, Leaf: c.Chain[0]}
	for _, cert := range c.Chain {
		t.Certificate = append(t.Certificate, cert.Raw)
	}
	return t
}

// RootPEM returns the root's certificate, which is not a secret.
func (c *Credentials) RootPEM() []byte { return encode("CERTIFICATE", c.Root.Raw) }

// ChainPEM returns the component's own certificate and those above it, without the root.
func (c *Credentials) ChainPEM() []byte {
	var b []byte
	for _, cert := range c.Chain {
		b = append(b, encode("CERTIFICATE", cert.Raw)...)
	}
	return b
}

// Due reports whether it is time to renew: a third of the life or less is left,
// or it is an authority that cannot revoke, as they once were made.
func (c *Credentials) Due(now time.Time) bool {
	if own := c.Chain[0]; own.IsCA && own.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return true
	}
	left := c.Chain[0].NotAfter
	for _, up := range c.Chain[1:] {
		if up.NotAfter.Before(left) {
			left = up.NotAfter
		}
	}
	return left.Sub(now) < c.Lasts()/3
}

// Lasts returns how long the certificate was made for.
func (c *Credentials) Lasts() time.Duration {
	own := c.Chain[0]
	return own.NotAfter.Sub(own.NotBefore) - early
}

// Hash is the pin of an authority that a join token carries.
func Hash(root *x509.Certificate) string {
	sum := sha256.Sum256(root.Raw)
	return hex.EncodeToString(sum[:])
}

// KeyHash names a public key.
func KeyHash(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:])
}

// Verify returns who a chain, its own certificate first, speaks for, when it
// leads to root and is valid now.
func Verify(chain []*x509.Certificate, root *x509.Certificate, now time.Time) (Identity, error) {
	if len(chain) == 0 {
		return Identity{}, errors.New("no certificate was shown")
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	found, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return Identity{}, err
	}
	id, err := identityOf(chain[0])
	if err != nil {
		return Identity{}, err
	}
	// The name constraint says the same; this holds even if a library forgets it.
	for _, up := range found[0][1 : len(found[0])-1] {
		if by, err := identityOf(up); err != nil || !by.MayIssue(id) {
			return Identity{}, fmt.Errorf("%s cannot vouch for %s", by, id)
		}
	}
	return id, nil
}

func identityOf(cert *x509.Certificate) (Identity, error) {
	if len(cert.DNSNames) != 1 || len(cert.IPAddresses)+len(cert.EmailAddresses)+len(cert.URIs) != 0 {
		return Identity{}, errors.New("a component's certificate has one name")
	}
	if _, ok := cert.PublicKey.(ed25519.PublicKey); !ok {
		return Identity{}, errors.New("the key of a component is an Ed25519 key")
	}
	return Parse(cert.DNSNames[0])
}

func template(name string, now time.Time, life time.Duration) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic("pki: no randomness: " + err.Error())
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-early), NotAfter: now.Add(life), BasicConstraintsValid: true,
	}
}

func sign(t, parent *x509.Certificate, pub any, key ed25519.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, pub, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// ReadRoot returns credentials without a key that hold the root in b, PEM:
// enough to verify others.
func ReadRoot(b []byte) (*Credentials, error) {
	roots, err := certificates(b)
	if err != nil {
		return nil, err
	}
	return &Credentials{Chain: roots[:1], Root: roots[0]}, nil
}
