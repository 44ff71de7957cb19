// Package token proves who sent a request between components, and lets a new
// component in. It is the door to JSON Web Tokens.
//
// A request carries a token signed with the sender's key (the one of its
// certificate): who sends (iss), to which start of which receiver (aud, its
// boot id), the exact method, path, query and SHA-256 of the body, when, until
// when (a minute at most) and an id that is used once. So a captured request
// is of no use on another server, after a restart, changed, late or twice. A
// body that streams is signed by a second token of the same id in the trailer.
//
// A join token is a secret that works once; the issuer keeps only its hash.
package token

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"karri/shared/fault"
)

const (
	life   = 45 * time.Second
	most   = 60 * time.Second // a longer-lived token is refused
	leeway = 5 * time.Second
	seen   = 1 << 20 // ids remembered; more in a minute is an attack or a loop
)

// Streamed stands for the digest of a body that is not known yet.
const Streamed = "trailer"

// Request is what a token is for.
type Request struct {
	Method string `json:"mth"`
	Path   string `json:"pth"` // as escaped on the wire
	Query  string `json:"qry"` // raw
	Body   string `json:"bdy"` // SHA-256 in hex, or Streamed
}

type claims struct {
	jwt.RegisteredClaims
	Request
}

// Claimed returns who a token says that it is from, whether or not that is true;
// "" when it says nothing. It is for the notes on a request that was refused.
func Claimed(text string) string {
	parts := strings.Split(text, ".")
	if len(text) > 8<<10 || len(parts) != 3 {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c struct {
		Issuer string `json:"iss"`
	}
	if err != nil || json.Unmarshal(b, &c) != nil {
		return ""
	}
	return c.Issuer
}

// ID returns a fresh id for a token.
func ID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Sign returns the token of a request from iss to the receiver whose boot id
// is aud.
func Sign(key ed25519.PrivateKey, iss, aud, jti string, r Request, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{Issuer: iss, Audience: jwt.ClaimStrings{aud}, ID: jti,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life))},
		Request: r,
	}).SignedString(key)
}

// The codes of a refused token. WrongBoot is no attack: the receiver was
// restarted, and the sender learns its new id.
const (
	Unsigned  = "Unsigned"
	Altered   = "Altered"
	Replayed  = "Replayed"
	ClockSkew = "ClockSkew"
	WrongBoot = "WrongBoot"
)

// A Verifier checks tokens for one start of one server.
type Verifier struct {
	Boot string // this start's own id
	Now  func() time.Time

	mu   sync.Mutex
	used map[string]time.Time // id -> when it has expired anyway
	next time.Time            // when to look for expired ids
}

// Verify returns the id of a token that iss, whose key is pub, signed for
// exactly this request, and has not sent before.
func (v *Verifier) Verify(text, iss string, pub ed25519.PublicKey, r Request) (string, error) {
	c, err := v.parse(text, iss, pub)
	if err != nil {
		return "", err
	}
	if c.Request != r {
		return "", fault.New(fault.Denied, Altered, "The token is for another request.")
	}
	return c.ID, v.use(c.ID, c.ExpiresAt.Add(leeway))
}

// VerifyTrailer checks the token behind a streamed body: that it belongs to
// the request with the given id, and is for the bytes that came.
func (v *Verifier) VerifyTrailer(text, iss string, pub ed25519.PublicKey, jti string, r Request) error {
	c, err := v.parse(text, iss, pub)
	if err != nil {
		return err
	}
	if c.ID != jti || c.Request != r {
		return fault.New(fault.Denied, Altered, "The body is not the one that was signed.")
	}
	return nil
}

func (v *Verifier) parse(text, iss string, pub ed25519.PublicKey) (*claims, error) {
	if text == "" {
		return nil, fault.New(fault.Denied, Unsigned, "The request has no token.")
	}
	c := &claims{}
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithStrictDecoding(),
		jwt.WithIssuer(iss), jwt.WithAudience(v.Boot),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(v.Now),
	).ParseWithClaims(text, c, func(*jwt.Token) (any, error) { return pub, nil })
	switch {
	case err == nil && (c.ID == "" || c.IssuedAt == nil || c.ExpiresAt.Sub(c.IssuedAt.Time) > most):
		return nil, fault.New(fault.Denied, Altered, "The token has no id or lives too long.")
	case err == nil:
		return c, nil
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return nil, fault.New(fault.Denied, WrongBoot, "The token is for another start of this server.")
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		if c.IssuedAt == nil {
			break
		}
		return nil, fault.New(fault.Denied, ClockSkew, "The sender's clock differs by %s from ours, or the request was under way for that long.",
			c.IssuedAt.Sub(v.Now()).Round(time.Second))
	}
	return nil, fault.New(fault.Denied, Altered, "The token is not valid.").Because(err)
}

// use remembers an id until its token has expired, and refuses one that it
// remembers.
func (v *Verifier) use(id string, until time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.Now()
	if v.used == nil {
		v.used = map[string]time.Time{}
	}
	if now.After(v.next) {
		for id, end := range v.used {
			if now.After(end) {
				delete(v.used, id)
			}
		}
		v.next = now.Add(most / 4)
	}
	if _, again := v.used[id]; again {
		return fault.New(fault.Denied, Replayed, "The token was used before.")
	}
	if len(v.used) >= seen {
		return fault.New(fault.Later, "TooManyRequests", "More than %d requests came in a minute.", seen)
	}
	v.used[id] = until
	return nil
}

// String shows the request in an error.
func (r Request) String() string { return fmt.Sprintf("%s %s?%s", r.Method, r.Path, r.Query) }
