package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
)

const joinPrefix = "karri-join-"

// Join is what a one-time join token holds: where to join, which authority
// must answer there, and the secret that lets a component in.
type Join struct {
	Address string `json:"a"` // host:port of the issuer's internal API
	Root    string `json:"r"` // pki.Hash of the cloud's authority
	Secret  string `json:"s"`
}

// NewJoin makes a join token of the issuer at address. The issuer keeps
// Join.Hash alone.
func NewJoin(address, root string) Join {
	return Join{Address: address, Root: root, Secret: rand.Text() + rand.Text()[:6]}
}

// String returns the token as an administrator copies it.
func (j Join) String() string {
	b, _ := json.Marshal(j)
	return joinPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// Hash returns what the issuer keeps to know the secret again.
func (j Join) Hash() string { return HashSecret(j.Secret) }

// HashSecret is Hash for the secret alone, as it is sent. The secret has more
// than 128 bits, so a plain hash is enough.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// ParseJoin reads a join token. White space around it is fine, since it comes
// from a file or a shell.
func ParseJoin(text string) (Join, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(text), joinPrefix)
	b, err := base64.RawURLEncoding.Strict().DecodeString(body)
	var j Join
	if !ok || err != nil || json.Unmarshal(b, &j) != nil || j.Address == "" || j.Secret == "" || len(j.Root) != 64 {
		return Join{}, errors.New("this is not a join token")
	}
	return j, nil
}
