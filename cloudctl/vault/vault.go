// Package vault encrypts what must not lie open on a disk: users' secret keys.
//
// It seals with AES-256-GCM under a master key that is kept in a file of its
// own, beside the database and not in it: a copy of the database alone tells
// no secret. What is sealed is bound to the name of what it belongs to, so that
// a row that was moved to another name does not open. The file is made whole
// before it is named; a vault whose key is lost opens nothing, and each user
// needs a new key then.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"karri/shared/durable"
)

const keyBytes = 32

// A Vault seals and opens. It is safe for concurrent use.
type Vault struct{ aead cipher.AEAD }

// Open returns the vault whose master key is in file, made if it is not there.
func Open(file string) (*Vault, error) {
	key, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = found(file); err == nil {
			key, err = os.ReadFile(file)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the master key: %w", err)
	}
	if len(key) != keyBytes {
		return nil, fmt.Errorf("the master key in %s has %d bytes, not %d", file, len(key), keyBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Vault{aead}, nil
}

// found makes the master key, unless somebody else does at the same time: a
// daemon and a command that both find none must end with the same one.
func found(file string) error {
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	fresh := file + "." + rand.Text()
	defer os.Remove(fresh)
	if err := durable.WriteFile(fresh, key, 0o600); err != nil {
		return err
	}
	if err := os.Link(fresh, file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return durable.SyncDir(filepath.Dir(file))
}

// Seal returns secret encrypted for name.
func (v *Vault) Seal(name, secret string) []byte {
	return v.aead.Seal(nil, nil, []byte(secret), []byte(name))
}

// Unseal returns the secret that was sealed for name.
func (v *Vault) Unseal(name string, sealed []byte) (string, error) {
	b, err := v.aead.Open(nil, nil, sealed, []byte(name))
	if err != nil {
		return "", fmt.Errorf("the secret of %s does not open under this master key: %w", name, err)
	}
	return string(b), nil
}
