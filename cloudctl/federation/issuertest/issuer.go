// Package issuertest is an issuer of web identities for tests: a server of
// OpenID Connect in the test's own process, with a key of its own.
//
// It keeps nothing; it ends with the test.
package issuertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"karri/cloudctl/store"
)

// An Issuer is a server of OpenID Connect. Its fields make it misbehave; they are
// set before it is asked.
type Issuer struct {
	*httptest.Server
	keys      []*ecdsa.PrivateKey
	Asked     atomic.Int64 // for its keys
	Away      atomic.Bool  // its keys cannot be had
	Slash     string       // after its name
	Elsewhere string       // where it redirects to
	Long      bool         // it answers more than anybody reads
}

// New returns an issuer that serves until the test ends.
func New(t testing.TB) *Issuer {
	t.Helper()
	p := &Issuer{}
	p.Rotate(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		if p.Elsewhere != "" {
			http.Redirect(w, r, p.Elsewhere, http.StatusFound)
			return
		}
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"id_token_signing_alg_values_supported":["ES256"]}`, p.URL+p.Slash, p.URL+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		p.Asked.Add(1)
		if p.Away.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		var set []map[string]string
		for i, k := range p.keys {
			x, y := k.X.FillBytes(make([]byte, 32)), k.Y.FillBytes(make([]byte, 32))
			set = append(set, map[string]string{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": fmt.Sprint(i), "x": Encode(x), "y": Encode(y)})
		}
		if p.Long {
			w.Write(make([]byte, 2<<20))
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"keys": set})
	})
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Close)
	return p
}

// Encode writes bytes as the parts of a token are written.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Rotate makes a new key, under which tokens are signed from now on.
func (p *Issuer) Rotate(t testing.TB) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.keys = append(p.keys, k)
}

// Token signs claims, beside the ones that every token has.
func (p *Issuer) Token(t testing.TB, change map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": p.URL + p.Slash, "sub": "job-42", "aud": "sts.amazonaws.com", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, change)
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := Encode(fmt.Appendf(nil, `{"alg":"ES256","kid":"%d"}`, len(p.keys)-1)) + "." + Encode(body)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, p.keys[len(p.keys)-1], sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + Encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// Provider is the issuer as an account registers it.
func (p *Issuer) Provider() *store.OIDCProvider {
	sum := sha1.Sum(p.Certificate().Raw)
	return &store.OIDCProvider{URL: strings.TrimPrefix(p.URL, "https://"), Clients: []string{"sts.amazonaws.com", "app"}, Thumbprints: []string{hex.EncodeToString(sum[:])}}
}
