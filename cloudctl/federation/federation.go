// Package federation believes the tokens of OpenID Connect issuers that
// accounts trust: it is the door to go-oidc.
//
// An issuer's configuration and keys are fetched when its first token comes and
// kept for an hour; a token under a key that is not known makes the keys be
// fetched again, though no more than once in some seconds, since anybody may
// send tokens. What is fetched is bounded in size and time, comes over TLS from
// the issuer that was registered, with no redirect. An account names the URL, so
// that only public addresses are asked, and those of networks that the
// administrator named (Reach). A server is trusted by the well-known authorities, or by a
// certificate whose fingerprint the account registered.
//
// Everything is in memory, in a cache of bounded size: a crash forgets it, and
// the next token fetches it anew.
package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"karri/cloudctl/store"
	"karri/shared/fault"
)

const (
	keepFor    = time.Hour
	maxIssuers = 1000
	maxToken   = 20_000
	// refreshPace is the time between two fetches of an issuer's keys.
	refreshPace = 5 * time.Second
)

// An Identity is what a good token says.
type Identity struct {
	Subject  string
	Audience string // the one that the provider names
	Claims   map[string][]string
	// What the issuer says of the session.
	Tags       map[string]string
	Transitive []string
	Source     string
}

// Issuers checks tokens. It is safe for concurrent use.
type Issuers struct {
	Clock func() time.Time
	// Reach tells which addresses may be asked; nil: Reach of no networks.
	Reach func(address string) error

	mu       sync.Mutex
	known    map[string]*issuer
	resolver *net.Resolver // nil: the host's
}

type issuer struct {
	once     sync.Mutex // held while it is fetched
	verifier *oidc.IDTokenVerifier
	at       time.Time // when it was last fetched, or tried
	err      error
	client   *http.Client
}

// IssuerOf returns the issuer that a token names, without https://, before
// anything of it is believed.
func IssuerOf(token string) (string, error) {
	payload, err := payloadOf(token)
	if err != nil {
		return "", err
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", invalid("The token holds no claims.").Because(err)
	}
	name, ok := strings.CutPrefix(claims.Issuer, "https://")
	if !ok || name == "" {
		return "", invalid("The issuer of the token is no https URL.")
	}
	return strings.TrimSuffix(name, "/"), nil
}

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.Invalid, "InvalidIdentityToken", format, args...)
}

// Verify checks a token of a provider: who signed it, for whom, and until when.
func (s *Issuers) Verify(ctx context.Context, p *store.OIDCProvider, token string) (*Identity, error) {
	if len(token) > maxToken {
		return nil, invalid("The token is longer than %d bytes.", maxToken)
	}
	v, err := s.of(ctx, p)
	if err != nil {
		return nil, err
	}
	away := false
	t, err := v.Verify(context.WithValue(ctx, awayKey{}, &away), token)
	if late, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
		return nil, fault.New(fault.Invalid, "ExpiredTokenException", "Token expired: it was good until %s.", late.Expiry.UTC().Format(time.RFC3339))
	}
	if away {
		return nil, unreachable(p, err)
	}
	if err != nil {
		return nil, invalid("Couldn't verify the token: its signature, issuer or time is wrong.").Because(err)
	}
	var claims map[string]any
	if err := t.Claims(&claims); err != nil {
		return nil, invalid("The claims of the token cannot be read.").Because(err)
	}
	id := &Identity{Subject: t.Subject, Claims: flat(claims)}
	if id.Audience = audienceOf(p, t.Audience, id.Claims["azp"]); id.Audience == "" {
		return nil, invalid("Incorrect token audience")
	}
	if t.Subject == "" {
		return nil, invalid("The token names no subject.")
	}
	return id, id.session(claims)
}

func unreachable(p *store.OIDCProvider, err error) error {
	return fault.New(fault.Invalid, "IDPCommunicationError", "The keys of %s could not be fetched. Please try again.", p.URL).Because(err)
}

// audienceOf returns the audience of a token that the provider names: the party
// that it was given to, where it says one.
func audienceOf(p *store.OIDCProvider, audience, azp []string) string {
	for _, a := range append(slices.Clone(azp), audience...) {
		if slices.Contains(p.Clients, a) {
			return a
		}
	}
	return ""
}

// of returns the verifier of a provider, fetched if need be.
func (s *Issuers) of(ctx context.Context, p *store.OIDCProvider) (*oidc.IDTokenVerifier, error) {
	i := s.issuer(p.URL + " " + strings.Join(p.Thumbprints, " "))
	i.once.Lock()
	defer i.once.Unlock()
	age := s.Clock().Sub(i.at)
	switch {
	case i.verifier != nil && age < keepFor:
		return i.verifier, nil
	case i.err != nil && age < refreshPace:
		return nil, unreachable(p, i.err)
	}
	if i.client == nil {
		i.client = s.client(p.Thumbprints)
	}
	i.at = s.Clock()
	i.verifier, i.err = s.fetch(oidc.ClientContext(context.WithoutCancel(ctx), i.client), "https://"+p.URL)
	if i.err != nil {
		return nil, unreachable(p, i.err)
	}
	return i.verifier, nil
}

// fetch reads the configuration of an issuer, whose name may end in a slash
// that the provider's has not.
func (s *Issuers) fetch(ctx context.Context, url string) (*oidc.IDTokenVerifier, error) {
	found, err := oidc.NewProvider(ctx, url)
	if other, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok && other.Discovered == url+"/" {
		url = other.Discovered
		found, err = oidc.NewProvider(ctx, url)
	}
	if err != nil {
		return nil, err
	}
	var where struct {
		Keys string `json:"jwks_uri"`
	}
	if err := found.Claims(&where); err != nil {
		return nil, err
	}
	return oidc.NewVerifier(url, keySet{oidc.NewRemoteKeySet(ctx, where.Keys)}, &oidc.Config{
		SkipClientIDCheck: true, Now: s.Clock, // a provider has many audiences: they are looked at after
		SupportedSigningAlgs: []string{
			oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
		}}), nil
}

// keySet notes when the keys could not be fetched, which package oidc does not
// tell apart from a wrong signature.
type keySet struct{ oidc.KeySet }

type awayKey struct{}

// VerifySignature implements oidc.KeySet.
func (k keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, token)
	if away, ok := ctx.Value(awayKey{}).(*bool); ok && err != nil {
		*away = strings.HasPrefix(err.Error(), "fetching keys")
	}
	return payload, err
}

// issuer returns what is known of an issuer, which may be nothing yet.
func (s *Issuers) issuer(name string) *issuer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.known[name]; i != nil {
		return i
	}
	if s.known == nil {
		s.known = map[string]*issuer{}
	}
	for old := range s.known {
		if len(s.known) < maxIssuers {
			break
		}
		delete(s.known, old)
	}
	i := &issuer{}
	s.known[name] = i
	return i
}
