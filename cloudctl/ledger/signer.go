package ledger

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"karri/cloudctl/store"
)

// A Vault seals secrets under the master key.
type Vault interface {
	Seal(name, secret string) []byte
	Unseal(name string, sealed []byte) (string, error)
}

// A Signer signs digests of trails, with an RSA key as their verifiers want. The
// key is made at the first digest and kept sealed; a fresh one takes its place
// in time.
type Signer struct {
	Store *store.Store
	Vault Vault
	Clock func() time.Time

	mu      sync.Mutex
	id      string
	private *rsa.PrivateKey
	expires time.Time
}

const (
	keyBits = 2048
	keyLife = 5 * 365 * 24 * time.Hour
	keyRest = 30 * 24 * time.Hour // before its end another one takes over
)

// Keys returns the keys that have signed or will.
func (s *Signer) Keys(ctx context.Context) (all []store.TrailKey, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.TrailKeys()
		return err
	})
	return all, err
}

// key returns the key that signs now, and its fingerprint.
func (s *Signer) key(ctx context.Context) (*rsa.PrivateKey, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock()
	if s.private != nil && now.Before(s.expires.Add(-keyRest)) {
		return s.private, s.id, nil
	}
	fresh, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, "", err
	}
	var k *store.TrailKey
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		all, err := tx.TrailKeys()
		if err != nil {
			return err
		}
		if len(all) > 0 && now.Before(all[len(all)-1].Expires.Add(-keyRest)) {
			k = &all[len(all)-1]
			return nil
		}
		public := x509.MarshalPKCS1PublicKey(&fresh.PublicKey)
		sum := sha256.Sum256(public)
		k = &store.TrailKey{ID: hex.EncodeToString(sum[:16]), Public: public, Created: now.UTC().Truncate(time.Second), Expires: now.UTC().Add(keyLife).Truncate(time.Second)}
		k.Sealed = s.Vault.Seal(k.ID, base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(fresh)))
		return tx.Add(k)
	})
	if err != nil {
		return nil, "", err
	}
	text, err := s.Vault.Unseal(k.ID, k.Sealed)
	if err != nil {
		return nil, "", fmt.Errorf("the key that signs digests: %w", err)
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		s.private, err = x509.ParsePKCS1PrivateKey(der)
	}
	if err != nil {
		return nil, "", fmt.Errorf("the key that signs digests: %w", err)
	}
	s.id, s.expires = k.ID, k.Expires
	return s.private, s.id, nil
}

// signature signs a text. The same text has the same signature.
func signature(key *rsa.PrivateKey, text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	b, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	return hex.EncodeToString(b), err
}
