// Package vault encrypts what must not lie open on a disk: users' secret keys.
//
// It seals with AES-256-GCM under a master key that is kept in a file of its
// own, beside the database and not in it: a copy of the database alone tells
// no secret. What is sealed is bound to the name of what it belongs to, so that
// a row that was moved to another name does not open. The file is made whole
// before it is named; a vault whose key is lost opens nothing, and each user
// needs a new key then.
//
// A file may hold several keys: the last one seals, all open. Rotate adds one
// and says until when those before it are needed, whoever has the database seals
// anew what is not Current, and Forget drops what is needed no more. Who changes
// the file does so in a transaction of the database that writes, so that two
// do not lose a key between them. A vault of another process sees that the file
// has changed before it seals, and when something does not open. A crash between
// the steps leaves more keys than are needed, and none too few.
package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"karri/shared/durable"
)

const keyBytes = 32

// mark begins what is sealed under a key that is named: mark, four bytes of the
// key's hash, nonce and text. Older values have no mark and no name.
const mark = 1

const nameBytes = 4

// A Vault seals and opens. It is safe for concurrent use.
type Vault struct {
	file string

	mu   sync.Mutex
	seen os.FileInfo // the file as it was read
	keys []key       // the last one seals
}

type key struct {
	raw   []byte
	name  [nameBytes]byte
	aead  cipher.AEAD
	until time.Time // of an older key: when nothing that it opens is of use any more; zero: nobody said
}

// Open returns the vault whose master key is in file, made if it is not there.
func Open(file string) (*Vault, error) {
	_, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		err = found(file)
	}
	if err != nil {
		return nil, fmt.Errorf("the master key: %w", err)
	}
	v := &Vault{file: file}
	return v, v.read()
}

// found makes the master key, unless somebody else does at the same time: a
// daemon and a command that both find none must end with the same one.
func found(file string) error {
	raw := make([]byte, keyBytes)
	if _, err := rand.Read(raw); err != nil {
		return err
	}
	fresh := file + "." + rand.Text()
	defer os.Remove(fresh)
	if err := durable.WriteFile(fresh, raw, 0o600); err != nil {
		return err
	}
	if err := os.Link(fresh, file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return durable.SyncDir(filepath.Dir(file))
}

// read reads the file.
func (v *Vault) read() error {
	info, err := os.Stat(v.file)
	if err != nil {
		return fmt.Errorf("the master key: %w", err)
	}
	b, err := os.ReadFile(v.file)
	if err != nil {
		return fmt.Errorf("the master key: %w", err)
	}
	keys, err := parse(b)
	if err != nil {
		return fmt.Errorf("the master key in %s: %w", v.file, err)
	}
	v.seen, v.keys = info, keys
	return nil
}

// parse reads a file: one key of 32 bytes as they are, or one in base64 a line,
// with "until" and a time behind an older one.
func parse(b []byte) ([]key, error) {
	if len(b) == keyBytes {
		k, err := newKey(b)
		return []key{k}, err
	}
	var all []key
	for line := range bytes.Lines(b) {
		words := strings.Fields(string(line))
		if len(words) != 1 && (len(words) != 3 || words[1] != "until") {
			return nil, fmt.Errorf("it holds %d bytes that are no keys", len(b))
		}
		raw, err := base64.StdEncoding.DecodeString(words[0])
		if err != nil || len(raw) != keyBytes {
			return nil, fmt.Errorf("it holds %d bytes that are no keys", len(b))
		}
		k, err := newKey(raw)
		if err != nil {
			return nil, err
		}
		if len(words) == 3 {
			if k.until, err = time.Parse(time.RFC3339, words[2]); err != nil {
				return nil, err
			}
		}
		all = append(all, k)
	}
	if len(all) == 0 {
		return nil, errors.New("it is empty")
	}
	return all, nil
}

func newKey(raw []byte) (k key, err error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return k, err
	}
	k.raw = bytes.Clone(raw)
	sum := sha256.Sum256(raw)
	copy(k.name[:], sum[:])
	k.aead, err = cipher.NewGCMWithRandomNonce(block)
	return k, err
}

// now returns the keys, read anew if the file has changed.
func (v *Vault) now() []key {
	v.mu.Lock()
	defer v.mu.Unlock()
	info, err := os.Stat(v.file)
	if err == nil && (!info.ModTime().Equal(v.seen.ModTime()) || !os.SameFile(info, v.seen)) {
		_ = v.read() // what was read before goes on to serve
	}
	return v.keys
}

// held returns the keys as they were read.
func (v *Vault) held() []key {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.keys
}

// Seal returns secret encrypted for name.
func (v *Vault) Seal(name, secret string) []byte {
	keys := v.now()
	k := keys[len(keys)-1]
	return k.aead.Seal(append([]byte{mark}, k.name[:]...), nil, []byte(secret), []byte(name))
}

// Unseal returns the secret that was sealed for name.
func (v *Vault) Unseal(name string, sealed []byte) (string, error) {
	text, err := open(v.held(), name, sealed)
	if err != nil {
		text, err = open(v.now(), name, sealed)
	}
	if err != nil {
		return "", fmt.Errorf("the secret of %s does not open under this master key: %w", name, err)
	}
	return string(text), nil
}

func open(keys []key, name string, sealed []byte) (text []byte, err error) {
	err = errors.New("it was sealed under another key")
	for _, k := range keys {
		if k.sealed(sealed) {
			if text, err = k.aead.Open(nil, nil, sealed[1+nameBytes:], []byte(name)); err == nil {
				return text, nil
			}
		}
	}
	for _, k := range keys { // older than names
		if text, old := k.aead.Open(nil, nil, sealed, []byte(name)); old == nil {
			return text, nil
		}
	}
	return nil, err
}

func (k key) sealed(b []byte) bool {
	return len(b) > 1+nameBytes && b[0] == mark && bytes.Equal(b[1:1+nameBytes], k.name[:])
}

// Current reports whether something was sealed under the key that seals now.
func (v *Vault) Current(sealed []byte) bool {
	keys := v.now()
	return keys[len(keys)-1].sealed(sealed)
}

// Older returns of each key but the one that seals until when it is needed, the
// oldest first; zero where nobody said.
func (v *Vault) Older() (until []time.Time) {
	keys := v.now()
	for _, k := range keys[:len(keys)-1] {
		until = append(until, k.until)
	}
	return until
}

// Rotate adds a key, which seals from now on; those before are needed until then.
func (v *Vault) Rotate(until time.Time) error {
	raw := make([]byte, keyBytes)
	if _, err := rand.Read(raw); err != nil {
		return err
	}
	k, err := newKey(raw)
	if err != nil {
		return err
	}
	return v.write(append(retired(v.now(), until), k))
}

// Retire says until when older keys are needed of which nobody said.
func (v *Vault) Retire(until time.Time) error {
	keys := v.now()
	last := len(keys) - 1
	return v.write(append(retired(keys[:last], until), keys[last]))
}

func retired(keys []key, until time.Time) (all []key) {
	for _, k := range keys {
		if k.until.IsZero() {
			k.until = until.UTC().Truncate(time.Second)
		}
		all = append(all, k)
	}
	return all
}

// Forget drops the older keys that are due by when they are needed, and returns
// how many. What they sealed opens no more.
func (v *Vault) Forget(due func(until time.Time) bool) (dropped int, err error) {
	keys := v.now()
	var left []key
	for i, k := range keys {
		if i == len(keys)-1 || !due(k.until) {
			left = append(left, k)
		}
	}
	if dropped = len(keys) - len(left); dropped == 0 {
		return 0, nil
	}
	return dropped, v.write(left)
}

func (v *Vault) write(keys []key) error {
	var b []byte
	for _, k := range keys {
		b = base64.StdEncoding.AppendEncode(b, k.raw)
		if !k.until.IsZero() {
			b = k.until.AppendFormat(append(b, " until "...), time.RFC3339)
		}
		b = append(b, '\n')
	}
	if err := durable.WriteFile(v.file, b, 0o600); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.read()
}
