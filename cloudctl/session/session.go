// Package session makes the credentials that are good for a time, and reads them.
//
// A session is its token: all that it is stands in there, compressed and sealed
// by the vault, its secret too. Nothing is stored, so that giving out a session
// costs no write, a crash forgets none, and any cloudctl reads what another
// made. The token says who took it and how it was narrowed, never what it may
// do: rights are read anew from the user or role that it stands for, and with
// that, its account or its policies a session ends or changes at once.
package session

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"karri/cloudctl/rights"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/sign"
)

// Claims are what a token holds.
type Claims struct {
	Key     string    `json:"k"` // ASIA...
	Secret  string    `json:"s"`
	Kind    string    `json:"t"` // one of identity's: root, user, role, federated
	Account string    `json:"a"`
	Holder  string    `json:"h"`           // id of the user or role whose rights it has, or the account
	Name    string    `json:"n,omitempty"` // of the session of a role or a federated user
	Issued  time.Time `json:"i"`
	Expires time.Time `json:"e"`

	Policies   []string          `json:"p,omitempty"` // session policies: documents
	Attached   []string          `json:"m,omitempty"` // and ARNs of managed ones
	Tags       map[string]string `json:"g,omitempty"`
	Transitive []string          `json:"r,omitempty"` // keys of the tags that the next session of a chain has too
	MFA        *time.Time        `json:"f,omitempty"`
	Source     string            `json:"o,omitempty"`
	Provider   string            `json:"w,omitempty"`
}

// Credentials are what whoever asked for a session is given.
type Credentials struct {
	AccessKey string
	Secret    string
	Token     string
	Expires   time.Time
}

// A Desk gives out sessions and reads them.
type Desk struct {
	Store *store.Store
	Vault Vault
	Clock func() time.Time
	Rand  io.Reader // nil: crypto/rand
}

// Vault is what a Desk needs of a vault.
type Vault interface {
	Seal(name, secret string) []byte
	Unseal(name string, sealed []byte) (string, error)
}

const (
	// sealName is what tokens are sealed for.
	sealName = "session"
	keyStart = "ASIA"
	// accountBytes of a key's id say its account; the others are random.
	accountBytes = 5
	// maxClaims bounds what a token may grow to when it is opened.
	maxClaims = 64 << 10
	// MaxPacked bounds what of a token is the asker's choice, compressed.
	MaxPacked = 4 << 10
)

// Longest is how long a session lasts at the most: the vault's keys are kept for
// that when they are changed.
const Longest = 36 * time.Hour

// Open opens a token, which must be of that access key and not have ended.
func (d *Desk) Open(accessKey, token string) (*Claims, error) {
	c, err := open(d.Vault, token)
	switch {
	case err != nil:
		return nil, sign.TokenInvalid.Because(err)
	case c.Key != accessKey:
		return nil, sign.TokenInvalid
	case !d.Clock().Before(c.Expires):
		return nil, sign.TokenExpired
	}
	return c, nil
}

// Issue makes credentials of claims: it gives them their key and secret, and
// notes when.
func (d *Desk) Issue(c Claims, life time.Duration) (Credentials, error) {
	if life > Longest {
		return Credentials{}, fault.New(fault.Invalid, "ValidationError", "A session lasts %.0f hours at the most.", Longest.Hours())
	}
	raw := make([]byte, 10+30)
	if _, err := io.ReadFull(d.random(), raw); err != nil {
		return Credentials{}, err
	}
	number, err := strconv.ParseUint(c.Account, 10, 40)
	if err != nil {
		return Credentials{}, err
	}
	for i := range accountBytes {
		raw[i] = byte(number >> (8 * (accountBytes - 1 - i)))
	}
	c.Key = keyStart + base32.StdEncoding.EncodeToString(raw[:10])
	c.Secret = base64.RawURLEncoding.EncodeToString(raw[10:])
	c.Issued = d.Clock().UTC().Truncate(time.Second)
	c.Expires = c.Issued.Add(life)
	token, err := seal(d.Vault, &c)
	if err != nil {
		return Credentials{}, err
	}
	return Credentials{c.Key, c.Secret, token, c.Expires}, nil
}

// AccountOf returns the account that the id of a session's key names, "" when
// it is none.
func AccountOf(accessKey string) string {
	raw, err := base32.StdEncoding.DecodeString(strings.TrimPrefix(accessKey, keyStart))
	if err != nil || len(raw) != 10 || !strings.HasPrefix(accessKey, keyStart) {
		return ""
	}
	number := uint64(0)
	for _, b := range raw[:accountBytes] {
		number = number<<8 | uint64(b)
	}
	return fmt.Sprintf("%012d", number)
}

func (d *Desk) random() io.Reader {
	if d.Rand == nil {
		return rand.Reader
	}
	return d.Rand
}

// Packed returns how much of what a token may hold claims ask for, in percent:
// their policies and tags. More than 100 is not issued.
func Packed(c *Claims) (int, error) {
	if len(c.Policies)+len(c.Attached)+len(c.Tags) == 0 {
		return 0, nil
	}
	b, err := pack(&Claims{Policies: c.Policies, Attached: c.Attached, Tags: c.Tags, Transitive: c.Transitive})
	return (100*len(b) + MaxPacked - 1) / MaxPacked, err
}

func seal(v Vault, c *Claims) (string, error) {
	b, err := pack(c)
	if err != nil {
		return "", err
	}
	token := base64.StdEncoding.EncodeToString(v.Seal(sealName, string(b)))
	if len(token) > sign.MaxToken {
		return "", fault.New(fault.Invalid, "PackedPolicyTooLarge", "The session's policies and tags together are larger than allowed.")
	}
	return token, nil
}

func open(v Vault, token string) (*Claims, error) {
	if len(token) > sign.MaxToken || strings.ContainsAny(token, "\r\n") {
		return nil, fmt.Errorf("a token of %d bytes", len(token))
	}
	sealed, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, err
	}
	text, err := v.Unseal(sealName, sealed)
	if err != nil {
		return nil, err
	}
	return unpack([]byte(text))
}

func pack(c *Claims) ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

func unpack(b []byte) (*Claims, error) {
	r := flate.NewReader(bytes.NewReader(b))
	text, err := io.ReadAll(io.LimitReader(r, maxClaims+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxClaims {
		return nil, fmt.Errorf("a token that holds more than %d bytes", maxClaims)
	}
	c := &Claims{}
	return c, json.Unmarshal(text, c)
}

// Resolve implements rights.Sessions.
func (d *Desk) Resolve(ctx context.Context, accessKey, token string) (rights.Resolved, error) {
	c, err := d.Open(accessKey, token)
	if err != nil {
		return rights.Resolved{}, err
	}
	out := rights.Resolved{Secret: c.Secret, State: sign.Active}
	err = d.Store.View(ctx, func(tx *store.Tx) (err error) {
		out.Identity, err = d.identity(tx, c)
		return err
	})
	return out, err
}
