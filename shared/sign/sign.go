// Package sign verifies the signatures of users' requests, and makes them.
//
// A Verifier takes SigV4 by header and by query string (presigned), SigV4
// chunk signatures and trailers of S3 uploads, and SigV2 for old tools: the
// query form of EC2, the header and presigned form of S3. Everything is
// rebuilt from the request as net/http parsed it, which is what the handlers
// read too.
//
// Invariants:
//   - a signature is compared by hmac.Equal alone, after all checks that need
//     no key; what the checks refuse costs no look-up of a key;
//   - each part of authentication stands exactly once: a second Authorization
//     header, a doubled parameter, or header and query at once are refused;
//   - host and every x-amz-* header are signed, or the request is refused;
//   - a body is proven by the time its last byte is handed out: its reader
//     answers io.EOF only for a body that is whole and is what was signed, so
//     who commits at io.EOF alone commits no other;
//   - memory is bounded: bodies stream, framing lines and trailers have limits.
//
// The package keeps nothing on disk and no state between requests, so a crash
// has nothing to undo. A request may be replayed within the allowed clock
// skew, as with AWS; repeated effects are the business of client tokens.
package sign

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"karri/shared/fault"
	"karri/shared/identity"
)

const (
	// MaxSkew is how far a request's clock may be from ours, both ways.
	MaxSkew = 15 * time.Minute
	// MaxExpires is the longest life of a SigV4 presigned URL. Derived keys
	// are therefore asked for up to seven days back.
	MaxExpires = 7 * 24 * time.Hour

	algorithm4 = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	stampForm  = "20060102T150405Z"
	dateForm   = "20060102"
)

// The states of an access key. Any state but Active refuses.
const (
	Active   = "active"
	Inactive = "inactive"
)

// A Key is what a verifier learns of an access key; never the secret itself.
type Key struct {
	Account string `json:"account"`
	ARN     string `json:"arn"`
	State   string `json:"state"`
	// Expires ends a session; nil: the key has no end. The verifier looks, so
	// that an answer that was kept ends in time too.
	Expires *time.Time `json:"expires,omitempty"`
	Signing []byte     `json:"signingKey,omitempty"` // derived for one date, region and service; nil in answers of CheckV2

	// Identity is who the key belongs to, and Rights the same compiled. Who
	// answers a key in the same process gives both; over the wire goes the first.
	Identity *identity.Identity `json:"identity,omitempty"`
	Rights   *identity.Rights   `json:"-"`
}

// The faults of a Keys that can read no key out of a session token.
var (
	TokenInvalid = fault.New(fault.Denied, "InvalidToken", "The provided token is malformed or otherwise invalid.")
	TokenExpired = fault.New(fault.Denied, "ExpiredToken", "The provided token has expired.")
)

// Keys finds access keys. The token is that of a session, "" for a key that
// needs none; whether it belongs to the key is the implementer's to check. An
// unknown key is a fault of kind Missing, a wrong signature (CheckV2) one of
// kind Denied, as are TokenInvalid and TokenExpired; other faults reach the
// caller of Verify as they are.
type Keys interface {
	SigningKey(ctx context.Context, accessKey, token, date, region, service string) (Key, error)
	// CheckV2 compares on the verifier's behalf, since SigV2 has no derived
	// keys. The algorithm is HmacSHA1 or HmacSHA256, the signature base64.
	CheckV2(ctx context.Context, accessKey, token, algorithm, stringToSign, signature string) (Key, error)
}

// An Identity says who signed a request and how.
type Identity struct {
	Anonymous bool // S3 only; nothing else is set then
	AccessKey string
	Account   string
	ARN       string
	Version   int              // of the signature: 4 or 2
	Presigned bool             // by query string (S3), not by header
	Region    string           // of the scope; "" with version 2
	Service   string           // of the scope, to be compared with the service that is called; "" with version 2
	At        time.Time        // when it was signed; zero with SigV2 that names an expiry
	Rights    *identity.Rights // of who signed; nil when the keys tell of none
}

// A Verifier verifies requests to one listener.
type Verifier struct {
	Dialect  *Dialect
	Region   string
	Global   bool     // the service has no region: clients sign for us-east-1, wherever the cloud is
	Services []string // allowed in a scope
	Keys     Keys
	Clock    func() time.Time // nil: time.Now
	// MaxBody bounds the body that the query dialects read whole; 0: 1 MiB.
	MaxBody int64
	// Bucket returns the bucket that a virtual-hosted S3 request names by its
	// Host, or ""; nil when there are none. Only SigV2 asks.
	Bucket func(r *http.Request) string
}

// Verify says who sent r, and returns its body, which is also put into r.Body.
//
// The body must be read to io.EOF before anything made of it is committed:
// its hash, chunk signatures, length and trailers are checked on the way.
// Query dialects have the body whole and checked already. The errors are
// faults with the codes of the dialect.
func (v *Verifier) Verify(r *http.Request) (Identity, *Body, error) {
	who, body, err := v.verify(r)
	if err != nil {
		return Identity{}, nil, err
	}
	r.Body = body
	return who, body, nil
}

func (v *Verifier) verify(r *http.Request) (Identity, *Body, error) {
	d := v.Dialect
	query, err := parsePairs(r.URL.RawQuery)
	if err != nil {
		return Identity{}, nil, d.fault(malformedQuery, "The query string cannot be parsed.").Because(err)
	}
	auth := r.Header.Values("Authorization")
	if len(auth) > 1 {
		return Identity{}, nil, d.fault(mixed, "Only one Authorization header is allowed.")
	}
	body, err := v.open(r)
	if err != nil {
		return Identity{}, nil, err
	}
	by4 := query.any("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Expires")
	by2, err := v.speaksV2(r, query, body)
	if err != nil {
		return Identity{}, nil, err
	}
	if countTrue(len(auth) == 1, by4, by2) > 1 {
		return Identity{}, nil, d.fault(mixed, "Only one authentication mechanism is allowed: an Authorization header or signature parameters.")
	}
	token, err := v.token(r, query, by4 || by2)
	if err != nil {
		return Identity{}, nil, err
	}
	switch {
	case by4:
		return v.verifyV4(r, query, body, token, v.fromQuery)
	case by2 && d.objects:
		return v.objectV2(r, query, body, token, "")
	case by2:
		return v.queryV2(r, query, body, token)
	case len(auth) == 1 && (auth[0] == algorithm4 || strings.HasPrefix(auth[0], algorithm4+" ")):
		return v.verifyV4(r, query, body, token, v.fromHeader)
	case len(auth) == 1 && d.objects && strings.HasPrefix(auth[0], "AWS "):
		return v.objectV2(r, query, body, token, auth[0][len("AWS "):])
	case len(auth) == 1:
		return Identity{}, nil, d.fault(badScheme, "The authorization mechanism that you provided is not supported. Please use AWS4-HMAC-SHA256.")
	case !d.objects:
		return Identity{}, nil, d.fault(noAuth, "%s", d.noAuth)
	case token != "":
		return Identity{}, nil, d.fault(badToken, "%s", d.badToken)
	}
	err = v.prove(r, body, r.Header.Get(hashHeader), nil)
	return Identity{Anonymous: true}, body, err
}

// A scope is a SigV4 signature as it stands in a request, its form checked.
type scope struct {
	key, date, region, service string
	at                         time.Time
	headers                    []string // signed, in order
	signature                  string
	presigned                  bool
}

func (s *scope) String() string {
	return s.date + "/" + s.region + "/" + s.service + "/" + terminator
}

// verifyV4 checks what parse finds, then the signature itself.
func (v *Verifier) verifyV4(r *http.Request, query pairs, body *Body, token string,
	parse func(*http.Request, pairs) (*scope, error)) (Identity, *Body, error) {
	s, err := parse(r, query)
	if err != nil {
		return Identity{}, nil, err
	}
	if err := v.checkScope(s); err != nil {
		return Identity{}, nil, err
	}
	headers, err := v.signedHeaders(r, s.headers)
	if err != nil {
		return Identity{}, nil, err
	}
	hash, err := v.payloadHash(r, query, body, s.presigned)
	if err != nil {
		return Identity{}, nil, err
	}
	key, err := v.Keys.SigningKey(r.Context(), s.key, token, s.date, s.region, s.service)
	if err != nil {
		return Identity{}, nil, v.keyFault(err, token)
	}
	stamp, within := s.at.Format(stampForm), s.String()
	if !v.matches(r, query, s, toSign{stamp, within, headers, hash}, key.Signing) {
		return Identity{}, nil, v.mismatch()
	}
	if err := v.alive(key); err != nil {
		return Identity{}, nil, err
	}
	if err := v.prove(r, body, hash, &chunkSigner{key: key.Signing, stamp: stamp, scope: within, last: s.signature}); err != nil {
		return Identity{}, nil, err
	}
	return Identity{
		AccessKey: s.key, Account: key.Account, ARN: key.ARN, Rights: key.Rights, Version: 4,
		Presigned: s.presigned, Region: s.region, Service: s.service, At: s.at,
	}, body, nil
}

// toSign is what a signature is made of beside the request line.
type toSign struct{ stamp, scope, headers, hash string }

// matches compares the signature for each admissible form of the path. Each
// form follows from the bytes of the path that was sent and is used for
// nothing else, so none of them lets a path be swapped.
func (v *Verifier) matches(r *http.Request, query pairs, s *scope, with toSign, key []byte) bool {
	var sent [sha256.Size]byte
	if n, err := hex.Decode(sent[:], []byte(s.signature)); err != nil || n != len(sent) {
		return false // its form was checked before
	}
	params, ok := query.canonical("X-Amz-Signature", s.presigned), false
	for _, uri := range v.Dialect.paths(r.URL.EscapedPath()) {
		b := make([]byte, 0, 1024) // of the usual request
		for i, part := range [...]string{r.Method, uri, params, with.headers} {
			if i > 0 {
				b = append(b, '\n')
			}
			b = append(b, part...)
		}
		for i, name := range s.headers {
			if i == 0 {
				b = append(b, '\n')
			} else {
				b = append(b, ';')
			}
			b = append(b, name...)
		}
		b = append(append(b, '\n'), with.hash...)
		sum := sha256.Sum256(b)
		b = append(append(b[:0], algorithm4+"\n"...), with.stamp...)
		b = append(append(append(b, '\n'), with.scope...), '\n')
		ok = hmac.Equal(macOf(key, hex.AppendEncode(b, sum[:])), sent[:]) || ok
	}
	return ok
}

// checkScope checks time, region and service, all of which need no key.
func (v *Verifier) checkScope(s *scope) error {
	if err := v.checkTime(s); err != nil {
		return err
	}
	switch {
	case s.date != s.at.Format(dateForm):
		return v.Dialect.fault(badScope, "The date of the credential scope, '%s', is not that of the request, '%s'.", s.date, s.at.Format(dateForm))
	case s.region != v.Region && (!v.Global || s.region != "us-east-1"):
		return v.Dialect.fault(badScope, "The authorization header is malformed; the region '%s' is wrong; expecting '%s'", s.region, v.Region)
	case !slices.Contains(v.Services, s.service):
		return v.Dialect.fault(badScope, "The credential is scoped to the service '%s'; expecting '%s'.", s.service, strings.Join(v.Services, "' or '"))
	}
	return nil
}

func (v *Verifier) now() time.Time {
	if v.Clock == nil {
		return time.Now().UTC()
	}
	return v.Clock().UTC()
}

func (v *Verifier) checkSkew(at time.Time) error {
	if off := v.now().Sub(at); off > MaxSkew || off < -MaxSkew {
		return v.Dialect.fault(skewed, "The difference between the request time and the current time is too large: signed at %s, received at %s.",
			at.Format(time.RFC3339), v.now().Format(time.RFC3339))
	}
	return nil
}

// keyFault names in the dialect what Keys said of a key that came with token.
func (v *Verifier) keyFault(err error, token string) error {
	kind, code := fault.KindOf(err), fault.CodeOf(err)
	switch {
	case kind == fault.Denied && code == TokenExpired.Code:
		return v.Dialect.fault(tokenEnded, "%s", v.Dialect.tokenEnded)
	case kind == fault.Denied && code == TokenInvalid.Code, kind == fault.Missing && token != "":
		return v.Dialect.fault(badToken, "%s", v.Dialect.badToken)
	case kind == fault.Missing:
		return v.unknownKey()
	case kind == fault.Denied:
		return v.mismatch()
	}
	return err
}

// alive refuses a key whose signature was right, but which is good no longer.
func (v *Verifier) alive(k Key) error {
	switch {
	case k.State != Active:
		return v.unknownKey()
	case k.Expires != nil && !v.now().Before(*k.Expires):
		return v.Dialect.fault(tokenEnded, "%s", v.Dialect.tokenEnded)
	}
	return nil
}

func (v *Verifier) unknownKey() error {
	return v.Dialect.fault(unknownKey, "%s", v.Dialect.unknownKey)
}

func (v *Verifier) mismatch() error {
	return v.Dialect.fault(mismatch, "%s", v.Dialect.mismatch)
}

// Parameter reports whether name is a query or form parameter of the
// signature itself, which no action reads.
func Parameter(name string) bool {
	switch name {
	case "AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp", "Expires", "SecurityToken",
		"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
		"X-Amz-Security-Token", "x-amz-security-token", "X-Amz-Content-Sha256":
		return true
	}
	return false
}

func stringToSign(at time.Time, scope, canonicalRequest string) string {
	return algorithm4 + "\n" + at.Format(stampForm) + "\n" + scope + "\n" + hashHex([]byte(canonicalRequest))
}

func signString(key []byte, s string) string { return hex.EncodeToString(mac(key, s)) }

func mac(key []byte, s string) []byte { return macOf(key, []byte(s)) }

func macOf(key, b []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(b)
	return h.Sum(nil)
}

func hashHex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func countTrue(bs ...bool) int {
	n := 0
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}
