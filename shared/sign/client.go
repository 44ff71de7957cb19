package sign

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"karri/shared/fault"
)

// Credentials are an access key with its secret, and its token when they are
// those of a session.
type Credentials struct {
	AccessKey, Secret string
	Token             string
}

// A Scope is what a signature is for.
type Scope struct {
	Region, Service string
	At              time.Time
}

// dialect returns the forms of path and payload that clients of the service sign.
func (s Scope) dialect() *Dialect {
	if s.Service == "s3" {
		return S3
	}
	return EC2
}

// DeriveKey returns the SigV4 signing key of a secret for one date (in the
// form 20060102), region and service.
func DeriveKey(secret, date, region, service string) []byte {
	return mac(mac(mac(mac([]byte("AWS4"+secret), date), region), service), terminator)
}

// CheckV2 reports whether signature is that of the secret over stringToSign.
func CheckV2(secret, algorithm, stringToSign, signature string) bool {
	var newHash func() hash.Hash
	switch algorithm {
	case "HmacSHA1":
		newHash = sha1.New
	case "HmacSHA256":
		newHash = sha256.New
	default:
		return false
	}
	h := hmac.New(newHash, []byte(secret))
	h.Write([]byte(stringToSign))
	return hmac.Equal([]byte(base64.StdEncoding.EncodeToString(h.Sum(nil))), []byte(signature))
}

// Request signs r by header. The payload is the hash of the body or one of
// the names such as UnsignedPayload; when it is empty the body is read through
// GetBody, so a streamed body needs a payload.
func Request(r *http.Request, c Credentials, s Scope, payload string) error {
	if payload == "" {
		var err error
		if payload, err = hashBody(r); err != nil {
			return fmt.Errorf("sign: hash the body: %w", err)
		}
	}
	setHost(r)
	r.Header.Set("X-Amz-Date", s.At.UTC().Format(stampForm))
	r.Header.Del("Authorization")
	r.Header.Del(tokenHeader)
	if c.Token != "" {
		r.Header.Set(tokenHeader, c.Token)
	}
	if s.Service == "s3" {
		r.Header.Set(hashHeader, payload)
	}
	names := []string{"host"}
	for name := range r.Header {
		if low := strings.ToLower(name); strings.HasPrefix(low, "x-amz-") || low == "content-type" || low == "content-md5" {
			names = append(names, low)
		}
	}
	slices.Sort(names)
	signature, scope, err := signV4(r, c, s, names, payload)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		algorithm4, c.AccessKey, scope, strings.Join(names, ";"), signature))
	return nil
}

// Presign signs r by query string, for the time that expires says, and
// returns the URL to use. All x-amz-* headers of r must then be sent as they are.
func Presign(r *http.Request, c Credentials, s Scope, expires time.Duration) (string, error) {
	if expires < time.Second || expires > MaxExpires {
		return "", fmt.Errorf("sign: an expiry of %s is not between a second and seven days", expires)
	}
	setHost(r)
	payload, err := UnsignedPayload, error(nil)
	if s.Service != "s3" {
		if payload, err = hashBody(r); err != nil {
			return "", fmt.Errorf("sign: hash the body: %w", err)
		}
	}
	names := []string{"host"}
	for name := range r.Header {
		if low := strings.ToLower(name); strings.HasPrefix(low, "x-amz-") {
			names = append(names, low)
		}
	}
	slices.Sort(names)
	at := s.At.UTC()
	query, err := parsePairs(r.URL.RawQuery)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	query = append(query, pair{"X-Amz-Algorithm", algorithm4},
		pair{"X-Amz-Credential", strings.Join([]string{c.AccessKey, at.Format(dateForm), s.Region, s.Service, terminator}, "/")},
		pair{"X-Amz-Date", at.Format(stampForm)}, pair{"X-Amz-Expires", strconv.Itoa(int(expires / time.Second))},
		pair{"X-Amz-SignedHeaders", strings.Join(names, ";")})
	if c.Token != "" {
		query = append(query, pair{tokenHeader, c.Token})
	}
	r.URL.RawQuery = query.canonical("", false)
	signature, _, err := signV4(r, c, s, names, payload)
	if err != nil {
		return "", err
	}
	r.URL.RawQuery += "&X-Amz-Signature=" + signature
	return r.URL.String(), nil
}

func signV4(r *http.Request, c Credentials, s Scope, names []string, payload string) (signature, scope string, err error) {
	query, err := parsePairs(r.URL.RawQuery)
	if err != nil {
		return "", "", fmt.Errorf("sign: %w", err)
	}
	headers, missing := canonicalHeaders(r, names)
	if missing != "" {
		return "", "", fmt.Errorf("sign: the request has no header %s", missing)
	}
	at := s.At.UTC()
	uri := s.dialect().paths(r.URL.EscapedPath())[0]
	creq := strings.Join([]string{r.Method, uri, query.canonical("", false), headers, strings.Join(names, ";"), payload}, "\n")
	scope = strings.Join([]string{at.Format(dateForm), s.Region, s.Service, terminator}, "/")
	key := DeriveKey(c.Secret, at.Format(dateForm), s.Region, s.Service)
	return signString(key, stringToSign(at, scope, creq)), scope, nil
}

func setHost(r *http.Request) {
	if r.Host == "" {
		r.Host = r.URL.Host
	}
}

func hashBody(r *http.Request) (string, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return emptyHash, nil
	}
	if r.GetBody == nil {
		return "", fmt.Errorf("the body can be read only once")
	}
	b, err := r.GetBody()
	if err != nil {
		return "", err
	}
	defer b.Close()
	h := sha256.New()
	if _, err := io.Copy(h, b); err != nil {
		return "", err
	}
	return hexSum(h), nil
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// Secrets are Keys for one who holds the secrets: it returns a key without
// its Signing part, and its secret.
type Secrets func(ctx context.Context, accessKey, token string) (Key, string, error)

// SigningKey derives the key from the secret.
func (f Secrets) SigningKey(ctx context.Context, accessKey, token, date, region, service string) (Key, error) {
	k, secret, err := f(ctx, accessKey, token)
	if err != nil {
		return Key{}, err
	}
	k.Signing = DeriveKey(secret, date, region, service)
	return k, nil
}

// CheckV2 compares with the secret.
func (f Secrets) CheckV2(ctx context.Context, accessKey, token, algorithm, stringToSign, signature string) (Key, error) {
	k, secret, err := f(ctx, accessKey, token)
	if err != nil {
		return Key{}, err
	}
	if !CheckV2(secret, algorithm, stringToSign, signature) {
		return Key{}, fault.New(fault.Denied, "SignatureDoesNotMatch", "The request signature does not match.")
	}
	return k, nil
}
