// Package walrustest runs a walrus in the test's own process, beside a
// cloudctl that knows nothing but access keys, and speaks to it as a user's
// client and as a component do.
package walrustest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"karri/shared/config"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/sign"
	"karri/shared/token"
)

// A User is an account with an access key.
type User struct {
	Account   string
	AccessKey string
	Secret    string
}

// Ann and Bob are known to each Cloud.
var (
	Ann = User{"111111111111", "AKIAANNANNANNANNANN1", "ann/secret+0123456789012345678901234567"}
	Bob = User{"222222222222", "AKIABOBBOBBOBBOBBOB1", "bob/secret+0123456789012345678901234567"}
)

// Cloud is the cloudctl.
type Cloud struct {
	Service *service.Service
	Asked   int // how often it was asked for a key
	mu      sync.Mutex
	states  map[string]string
	admits  map[string]admitted
	away    bool
}

type admitted struct {
	User
	who   *identity.Identity
	token string
}

// Admit makes cloudctl know a further key, which stands for an identity of
// u.Account and, with a token, needs that. Asked again it changes the identity.
func (c *Cloud) Admit(u User, who *identity.Identity, token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.admits == nil {
		c.admits = map[string]admitted{}
	}
	c.admits[u.AccessKey] = admitted{u, who, token}
}

// Suspend makes cloudctl say that a user's key is no longer active.
func (c *Cloud) Suspend(u User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states[u.AccessKey] = sign.Inactive
}

// SetAway makes cloudctl fail to answer questions about keys, or answer again.
func (c *Cloud) SetAway(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

// StartCloud runs a cloudctl until the test ends.
func StartCloud(t testing.TB) *Cloud {
	t.Helper()
	c := &Cloud{states: map[string]string{}}
	id := pki.Identity{Role: pki.Cloudctl}
	spec := service.Spec{
		Program: config.Program{Name: id.Role}, Founds: true, Identity: func() pki.Identity { return id },
		Run: func(ctx context.Context, s *service.Service) error { return s.Serve(ctx) },
	}
	var err error
	c.Service, err = service.New(t.Context(), spec, service.Env{}, service.Flags{State: t.TempDir(), Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	c.Service.Internal.ServeJoin(func(_ context.Context, _ pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
		chain, err := c.Service.Root.Issue(r.CSR, time.Now())
		return rest.JoinReply{Chain: chain, Root: c.Service.Root.RootPEM()}, err
	})
	c.Service.Internal.Handle("POST", "/v1/keys/derive", rest.Roles(pki.Walrus), c.derive)
	c.Service.Internal.Handle("POST", "/v1/principals", rest.Roles(pki.Walrus), unnamed)
	c.Service.Internal.Handle("POST", "/v1/keys/check-v2", rest.Roles(pki.Walrus), c.checkV2)
	run(t, c.Service)
	return c
}

// JoinToken returns a token that lets any component in, any number of times.
func (c *Cloud) JoinToken() string {
	return token.NewJoin(c.Service.Addr, pki.Hash(c.Service.Root.Root)).String()
}

// run runs a service until the test ends or stop is called.
func run(t testing.TB, s *service.Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// find returns the secret of an access key and what it stands for.
func (c *Cloud) find(accessKey, session string) (string, sign.Key, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Asked++
	if c.away {
		return "", sign.Key{}, fault.New(fault.Later, "Away", "The database is away.")
	}
	state := c.states[accessKey]
	if state == "" {
		state = sign.Active
	}
	for _, u := range []User{Ann, Bob} {
		if u.AccessKey == accessKey && session == "" {
			return u.Secret, sign.Key{Account: u.Account, ARN: "arn:aws:iam::" + u.Account + ":root", State: state, Identity: identity.RootOf(u.Account, false)}, nil
		}
	}
	if a, ok := c.admits[accessKey]; ok && a.token == session {
		return a.Secret, sign.Key{Account: a.who.Account, ARN: a.who.ARN, State: state, Identity: a.who}, nil
	}
	if session != "" {
		return "", sign.Key{}, sign.TokenInvalid
	}
	return "", sign.Key{}, fault.New(fault.Missing, "NoSuchKey", "There is no such access key.")
}

func (c *Cloud) derive(w http.ResponseWriter, r *http.Request) error {
	var in struct{ AccessKey, Token, Date, Region, Service string }
	if err := rest.Read(r, &in); err != nil {
		return err
	}
	secret, key, err := c.find(in.AccessKey, in.Token)
	if err != nil {
		return err
	}
	key.Signing = sign.DeriveKey(secret, in.Date, in.Region, in.Service)
	return rest.JSON(w, key)
}

func (c *Cloud) checkV2(w http.ResponseWriter, r *http.Request) error {
	var in struct{ AccessKey, Token, Algorithm, StringToSign, Signature string }
	if err := rest.Read(r, &in); err != nil {
		return err
	}
	secret, key, err := c.find(in.AccessKey, in.Token)
	if err != nil {
		return err
	}
	if !sign.CheckV2(secret, in.Algorithm, in.StringToSign, in.Signature) {
		return fault.New(fault.Denied, "SignatureDoesNotMatch", "The signature is wrong.")
	}
	return rest.JSON(w, key)
}

// unnamed takes every user and role that policies name for one that is there,
// and has no ids in their place.
func unnamed(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Policy string `json:"policy"`
	}
	if err := rest.Read(r, &in); err != nil {
		return err
	}
	return rest.JSON(w, in)
}
