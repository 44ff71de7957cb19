// Package rights says what an access key may do, and keeps it at hand.
//
// On the first request of a key all that decides is read in one view of the
// database and compiled; later requests read nothing. Equal documents are
// compiled once for all who have them, and the cache is bounded in entries and
// in bytes, so that a million keys cost no more than ten thousand.
//
// What a transaction changes counts with the next request: after its commit,
// before it is answered, all of the account that it announced is dropped. What
// was read before such a drop is not kept, however long the reading took. A
// change that another process makes is heard of by events, or when an entry
// is too old. Nothing is on disk: a crash empties the cache and no more.
package rights

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/identity"
	"karri/shared/sign"
)

// A Credential is an access key resolved. It never changes.
type Credential struct {
	Rights *identity.Rights
	State  string // sign.Active or another

	secret  string
	derived atomic.Pointer[derived]
}

type derived struct {
	date, region, service string
	key                   []byte
}

// Signing returns the SigV4 key for a date, region and service. The secret
// itself goes nowhere.
func (c *Credential) Signing(date, region, service string) []byte {
	if d := c.derived.Load(); d != nil && d.date == date && d.region == region && d.service == service {
		return d.key
	}
	d := &derived{date, region, service, sign.DeriveKey(c.secret, date, region, service)}
	c.derived.Store(d)
	return d.key
}

// CheckV2 compares a signature of version 2.
func (c *Credential) CheckV2(algorithm, text, signature string) bool {
	return sign.CheckV2(c.secret, algorithm, text, signature)
}

// Key is what a verifier is told, without the key to sign with.
func (c *Credential) Key() sign.Key {
	i := c.Rights.Identity
	return sign.Key{Account: i.Account, ARN: i.ARN, State: c.State, Expires: i.Expires, Identity: i, Rights: c.Rights}
}

// A Resolved is what a source of credentials knows of an access key.
type Resolved struct {
	Identity *identity.Identity
	Secret   string
	State    string
}

// Sessions resolve the credentials of sessions, which carry a token.
type Sessions interface {
	Resolve(ctx context.Context, accessKey, token string) (Resolved, error)
}

const (
	defaultEntries = 10_000
	defaultBytes   = 12 << 20
	defaultAge     = 30 * time.Second
	entryCost      = 2200 // bytes of an entry without its documents, measured
)

// A Cache resolves access keys. Start it with New.
type Cache struct {
	Sessions Sessions // nil: no session is known
	MaxAge   time.Duration

	store   *store.Store
	vault   *vault.Vault
	clock   func() time.Time
	entries int
	bytes   int
	shares  identity.Shares
	drops   atomic.Uint64 // how often something was dropped

	mu    sync.RWMutex
	known map[string]*entry
}

type entry struct {
	*Credential
	token [sha256.Size]byte // hash of the session's; zero: none
	at    time.Time
	held  []*identity.Hold
	used  atomic.Bool // since it was last looked at for room
}

// New returns a cache over the records, which drops what their transactions
// announce.
func New(s *store.Store, v *vault.Vault, clock func() time.Time) *Cache {
	c := &Cache{
		MaxAge: defaultAge, store: s, vault: v, clock: clock,
		entries: defaultEntries, bytes: defaultBytes, known: map[string]*entry{},
	}
	s.OnAnnounced(c.Heard)
	return c
}

// Heard drops all of the account that an announcement names.
func (c *Cache) Heard(subject string, body []byte) {
	if !strings.HasPrefix(subject, "identity.") {
		return
	}
	var change store.Change
	if err := json.Unmarshal(body, &change); err != nil {
		change.Account = "" // all, rather than the wrong ones
	}
	c.Drop(change.Account)
}

// Drop forgets all of an account; "" means all accounts.
func (c *Cache) Drop(account string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops.Add(1)
	for key, e := range c.known {
		if account == "" || e.Rights.Identity.Account == account {
			c.forget(key, e)
		}
	}
}

func (c *Cache) forget(key string, e *entry) {
	delete(c.known, key)
	c.shares.Give(e.held)
}

// Of resolves an access key, with the token of its session. An unknown key is
// a fault of kind Missing.
func (c *Cache) Of(ctx context.Context, accessKey, token string) (*Credential, error) {
	now := c.clock()
	var hash [sha256.Size]byte
	if token != "" {
		hash = sha256.Sum256([]byte(token))
	}
	c.mu.RLock()
	e := c.known[accessKey]
	c.mu.RUnlock()
	if e != nil && now.Sub(e.at) < c.MaxAge && hmac.Equal(e.token[:], hash[:]) {
		if until := e.Rights.Identity.Expires; until != nil && !now.Before(*until) {
			return nil, sign.TokenExpired
		}
		e.used.Store(true)
		return e.Credential, nil
	}
	drops := c.drops.Load()
	found, err := c.resolve(ctx, accessKey, token)
	if err != nil {
		return nil, err
	}
	return c.keep(accessKey, found, hash, now, drops)
}

// resolve asks the records, in one view.
func (c *Cache) resolve(ctx context.Context, accessKey, token string) (Resolved, error) {
	if token != "" {
		if c.Sessions == nil {
			return Resolved{}, sign.TokenInvalid
		}
		return c.Sessions.Resolve(ctx, accessKey, token)
	}
	var by *store.Bearer
	out := Resolved{State: sign.Active}
	err := c.store.View(ctx, func(tx *store.Tx) (err error) {
		if by, err = tx.Bearer(accessKey); err != nil {
			return err
		}
		if !by.Key.Active || by.Account.State != store.AccountActive {
			out.State = sign.Inactive
		}
		if by.User == nil {
			out.Identity, err = Root(tx, &by.Account)
			return err
		}
		out.Identity, err = User(tx, &by.Account, by.User)
		return err
	})
	if err != nil {
		return out, err
	}
	out.Secret, err = c.vault.Unseal(by.Key.ID, by.Key.Sealed)
	return out, err
}

// keep compiles what was found, and remembers it unless something was dropped
// since it was read.
func (c *Cache) keep(accessKey string, found Resolved, token [sha256.Size]byte, now time.Time, drops uint64) (*Credential, error) {
	rights, held, err := c.shares.Take(found.Identity)
	if err != nil {
		return nil, err
	}
	e := &entry{Credential: &Credential{Rights: rights, State: found.State, secret: found.Secret}, token: token, at: now, held: held}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drops.Load() != drops {
		c.shares.Give(held)
		return e.Credential, nil
	}
	if old := c.known[accessKey]; old != nil {
		c.forget(accessKey, old)
	}
	c.known[accessKey] = e
	c.room(accessKey)
	return e.Credential, nil
}

// room takes out entries until the cache is within its bounds, those that were
// not used lately first.
func (c *Cache) room(but string) {
	spared := 0
	for key, e := range c.known {
		if len(c.known) <= c.entries && len(c.known)*entryCost+c.shares.Spent() <= c.bytes {
			return
		}
		if key == but || spared < 8 && e.used.Swap(false) {
			spared++
			continue
		}
		c.forget(key, e)
		spared = 0
	}
}
