package daemon

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/rest"
	"karri/shared/sign"
)

// keys asks cloudctl for derived signing keys and remembers them: for refresh
// without asking again, and for stale while cloudctl cannot be asked. What
// cloudctl says of a key, that it is unknown or suspended, counts at once, and
// so does an event that tells of a change.
type keys struct {
	cloud   caller
	refresh time.Duration
	stale   time.Duration

	mu    sync.Mutex
	known map[string]*known
	texts identity.Shares
	drops uint64    // how often something was forgotten because it changed
	away  time.Time // when cloudctl last did not answer

	proofs map[[sha256.Size]byte]struct{} // signatures of version 2 that were right
	checks chan struct{}                  // a place for each that is being checked
}

// caller is what keys needs of a rest.Client.
type caller interface {
	Call(ctx context.Context, method, path string, query map[string][]string, in, out any) error
}

type known struct {
	key   sign.Key
	held  []*identity.Hold
	at    time.Time // when cloudctl said so
	doubt bool      // it may have changed since: cloudctl is asked before it serves
}

const (
	maxKnown = 10_000
	maxTexts = 12 << 20 // bytes of compiled policies

	maxProofs = 8192
	maxChecks = 8 // as many connections as a client keeps

	// patience is how long a request waits for cloudctl, and restBetween how
	// long cloudctl is left alone after it did not answer, where there is an
	// older answer to serve.
	patience    = 5 * time.Second
	restBetween = 2 * time.Second
)

type deriveRequest struct {
	AccessKey string `json:"accessKey"`
	Token     string `json:"token,omitempty"`
	Date      string `json:"date"`
	Region    string `json:"region"`
	Service   string `json:"service"`
}

type checkV2Request struct {
	AccessKey    string `json:"accessKey"`
	Token        string `json:"token,omitempty"`
	Algorithm    string `json:"algorithm"`
	StringToSign string `json:"stringToSign"`
	Signature    string `json:"signature"`
}

// SigningKey is sign.Keys's.
func (k *keys) SigningKey(ctx context.Context, accessKey, token, date, region, service string) (sign.Key, error) {
	digest := sha256.Sum256([]byte(token)) // a token is long
	name := strings.Join([]string{accessKey, date, region, service, string(digest[:])}, "\x00")
	old, drops, fresh := k.remembered(name, time.Now())
	if fresh {
		return old.lasting(time.Now())
	}
	now, err := k.resolve(ctx, "/v1/keys/derive", deriveRequest{accessKey, token, date, region, service})
	switch {
	case err == nil:
		k.remember(name, now, drops)
		return now.lasting(now.at)
	case definite(err):
		k.remember(name, nil, drops)
		return sign.Key{}, err
	case old != nil:
		k.gone()
		return old.lasting(time.Now())
	}
	return sign.Key{}, err
}

// CheckV2 is sign.Keys's. A signature of version 2 is made with the secret
// itself, or with what HMAC makes of it before the text comes: who has that can
// sign for every day and every service, so walrus is given neither and asks of
// each signature. What it remembers is that one was right: a link that is
// presigned is fetched over and over. That stays true, but counts only while
// what is known of the key does.
func (k *keys) CheckV2(ctx context.Context, accessKey, token, algorithm, stringToSign, signature string) (sign.Key, error) {
	session, signed := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(signature))
	name := strings.Join([]string{accessKey, "v2", string(session[:])}, "\x00")
	proof := sha256.Sum256([]byte(strings.Join([]string{name, algorithm, string(signed[:]), stringToSign}, "\x00")))
	old, drops, fresh := k.remembered(name, time.Now())
	if !k.proven(proof) {
		old, fresh = nil, false
	}
	if fresh {
		return old.lasting(time.Now())
	}
	now, err := k.check(ctx, checkV2Request{accessKey, token, algorithm, stringToSign, signature})
	switch {
	case err == nil:
		k.remember(name, now, drops)
		k.prove(proof)
		return now.lasting(now.at)
	case fault.KindOf(err) == fault.Missing && definite(err), old != nil && definite(err):
		k.remember(name, nil, drops) // a signature that is merely wrong says nothing of the key
		return sign.Key{}, err
	case old != nil:
		k.gone()
		return old.lasting(time.Now())
	}
	return sign.Key{}, err
}

// check asks of a signature, not of too many at once: each takes a connection
// to cloudctl, and those beyond what a client keeps open cost far more to make.
func (k *keys) check(ctx context.Context, in checkV2Request) (*known, error) {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	k.mu.Lock()
	if k.checks == nil {
		k.checks = make(chan struct{}, maxChecks)
	}
	turn := k.checks
	k.mu.Unlock()
	select {
	case turn <- struct{}{}:
	case <-wait.Done():
		return nil, fault.New(fault.Later, "ServiceUnavailable", "Access keys cannot be checked now. Please try again.").Because(wait.Err())
	}
	defer func() { <-turn }()
	return k.resolve(ctx, "/v1/keys/check-v2", in)
}

func (k *keys) proven(proof [sha256.Size]byte) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.proofs[proof]
	return ok
}

func (k *keys) prove(proof [sha256.Size]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.proofs == nil || len(k.proofs) == maxProofs {
		k.proofs = map[[sha256.Size]byte]struct{}{}
	}
	k.proofs[proof] = struct{}{}
}

// gone notes that cloudctl did not answer.
func (k *keys) gone() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.away = time.Now()
}

// lasting returns the key unless its session has ended.
func (v *known) lasting(now time.Time) (sign.Key, error) {
	if until := v.key.Identity.Expires; until != nil && !now.Before(*until) {
		return sign.Key{}, sign.TokenExpired
	}
	return v.key, nil
}

// resolve asks cloudctl of a key and compiles what it may do. A key of which
// cloudctl does not tell whose it is has no rights, so that it is none.
func (k *keys) resolve(ctx context.Context, path string, in any) (*known, error) {
	v := &known{at: time.Now()}
	if err := k.ask(ctx, path, in, &v.key); err != nil {
		return nil, err
	}
	if v.key.Identity == nil {
		return nil, fault.New(fault.Later, "ServiceUnavailable", "Access keys cannot be checked now. Please try again.").Because(errors.New("cloudctl does not tell what the key may do"))
	}
	var err error
	if v.key.Rights, v.held, err = k.texts.Take(v.key.Identity); err != nil {
		return nil, fault.New(fault.Later, "ServiceUnavailable", "What the access key may do cannot be read now. Please try again.").Because(err)
	}
	return v, nil
}

func (k *keys) ask(ctx context.Context, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := k.cloud.Call(ctx, http.MethodPost, path, nil, in, out)
	if err != nil && !definite(err) {
		return fault.New(fault.Later, "ServiceUnavailable", "Access keys cannot be checked now. Please try again.").Because(err)
	}
	return err
}

// definite reports whether err is cloudctl's word on the key.
func definite(err error) bool {
	switch fault.KindOf(err) {
	case fault.Missing:
		return fault.CodeOf(err) != "NoSuchRoute"
	case fault.Denied:
		switch fault.CodeOf(err) { // refused by package rest before cloudctl's handler saw it
		case "WrongBoot", "Unsigned", "Altered", "Replayed", "ClockSkew", "UnknownComponent", "NotForYou":
			return false
		}
		return true
	}
	return false
}

// remembered returns what is known and not too old to serve, and whether it
// may be served without asking. drops is for remember.
func (k *keys) remembered(name string, now time.Time) (old *known, drops uint64, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	old = k.known[name]
	if old == nil || now.Sub(old.at) > k.refresh+k.stale {
		return nil, k.drops, false
	}
	return old, k.drops, !old.doubt && now.Sub(old.at) < k.refresh || now.Sub(k.away) < restBetween
}

// drop forgets all keys of an account, of which something changed.
func (k *keys) drop(account string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drops++
	for name, v := range k.known {
		if v.key.Account == account {
			k.forget(name)
		}
	}
}

// suspect makes every key be asked for again, since events may have been
// missed. While cloudctl cannot be asked they serve as they do without events.
func (k *keys) suspect() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drops++
	for name, v := range k.known {
		k.known[name] = &known{key: v.key, held: v.held, at: v.at, doubt: true}
	}
}

// remember keeps what was learned; nil forgets. What was asked before something
// changed may be the answer from before, and is not kept.
func (k *keys) remember(name string, what *known, drops uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if what != nil && k.drops != drops {
		k.texts.Give(what.held)
		return
	}
	k.forget(name)
	if what == nil {
		return
	}
	if k.known == nil {
		k.known = map[string]*known{}
	}
	for old, v := range k.known {
		if len(k.known) < maxKnown && k.texts.Spent() < maxTexts && what.at.Sub(v.at) <= k.refresh+k.stale {
			break // looks at one entry each time; at all of them only when there are too many
		}
		k.forget(old)
	}
	k.known[name] = what
}

// forget is called with the lock held.
func (k *keys) forget(name string) {
	if v := k.known[name]; v != nil {
		delete(k.known, name)
		k.texts.Give(v.held)
	}
}

var _ caller = client{}

// client makes a rest.Client a caller.
type client struct{ *rest.Client }

// Call is caller's.
func (c client) Call(ctx context.Context, method, path string, query map[string][]string, in, out any) error {
	return c.Client.Call(ctx, method, path, query, in, out)
}
