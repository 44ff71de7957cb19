package pki

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"karri/shared/crash"
	"karri/shared/durable"
)

// The files of a component's credentials, in its folder for them.
const (
	KeyFile  = "key.pem"
	CertFile = "cert.pem"
	RootFile = "ca.pem"
)

// Save writes the credentials to dir, the chain last.
func (c *Credentials) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeKey(dir, c.Key); err != nil {
		return err
	}
	crash.Here("pki.key-saved")
	if err := durable.WriteFile(filepath.Join(dir, RootFile), c.RootPEM(), 0o600); err != nil {
		return err
	}
	crash.Here("pki.root-saved")
	return durable.WriteFile(filepath.Join(dir, CertFile), c.ChainPEM(), 0o600)
}

// Load reads what Save wrote. os.ErrNotExist in its error means that there are
// no credentials yet.
func Load(dir string) (*Credentials, error) {
	chain, err := os.ReadFile(filepath.Join(dir, CertFile))
	if err != nil {
		return nil, err
	}
	c := &Credentials{}
	if c.Chain, err = certificates(chain); err != nil {
		return nil, fmt.Errorf("%s: %w", CertFile, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, RootFile))
	if err != nil {
		return nil, err
	}
	roots, err := certificates(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", RootFile, err)
	}
	c.Root = roots[0]
	if c.Key, err = readKey(dir); err != nil {
		return nil, err
	}
	if pub, ok := c.Chain[0].PublicKey.(ed25519.PublicKey); !ok || !pub.Equal(c.Key.Public()) {
		return nil, fmt.Errorf("%s in %s is not for the key beside it", CertFile, dir)
	}
	return c, nil
}

// Key returns the key in dir, made and written when there is none, so that
// every try to join is for the same key.
func Key(dir string) (ed25519.PrivateKey, error) {
	key, err := readKey(dir)
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if _, key, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return nil, err
	}
	return key, writeKey(dir, key)
}

func writeKey(dir string, key ed25519.PrivateKey) error {
	text, err := keyPEM(key)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, KeyFile), text, 0o600)
}

func keyPEM(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return encode("PRIVATE KEY", der), err
}

func readKey(dir string) (ed25519.PrivateKey, error) {
	b, err := os.ReadFile(filepath.Join(dir, KeyFile))
	if err != nil {
		return nil, err
	}
	der, err := decode(b, "PRIVATE KEY")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", KeyFile, err)
	}
	k, err := x509.ParsePKCS8PrivateKey(der[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", KeyFile, err)
	}
	key, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not an Ed25519 key", KeyFile)
	}
	return key, nil
}

func certificates(b []byte) ([]*x509.Certificate, error) {
	ders, err := decode(b, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	return certs, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// decode returns the PEM blocks of b: at least one, all of the given kind.
func decode(b []byte, kind string) ([][]byte, error) {
	var ders [][]byte
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			break
		}
		if block.Type != kind {
			return nil, fmt.Errorf("a PEM block is a %s, not a %s", block.Type, kind)
		}
		ders, b = append(ders, block.Bytes), rest
	}
	if len(ders) == 0 {
		return nil, fmt.Errorf("there is no PEM block of kind %s", kind)
	}
	return ders, nil
}
