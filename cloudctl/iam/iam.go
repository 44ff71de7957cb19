// Package iam is the public API of identities: users, groups, roles, policies
// and all with which somebody shows who they are. Each action has a file of its
// own, named after it; files with other names hold shapes and checks that
// several actions share.
//
// An action reads, checks and writes in one transaction, together with the line
// that announces the change, so that whoever keeps rights in memory hears of
// every change that was committed and of no other. A crash before the commit
// leaves nothing, after it everything. Names are compared without regard to
// case, as the public API does; a thing that is not there is looked for only
// after the policy has allowed to ask, so that a refusal does not tell what
// there is.
//
// Secrets leave this package once, in the answer that makes them: passwords are
// kept as slow hashes, seeds and private keys sealed by the vault.
package iam

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"io"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/action"
	"karri/shared/awsmodel"
)

// API holds what the actions need.
type API struct {
	Store    *store.Store
	Accounts *account.Book
	Vault    *vault.Vault
	Clock    func() time.Time
	Rand     io.Reader // of ids and secrets; nil: crypto/rand
	Managed  Managed

	reports reports
}

// Managed knows the policies that have an ARN: those of accounts and those that
// belong to the cloud itself.
type Managed interface {
	// Attachable returns the name of a policy that an account may attach. The
	// fault NoSuchEntity says that there is none.
	Attachable(tx *store.Tx, account, arn string) (name string, err error)
}

// Catalog holds every action of this package.
var Catalog = action.NewCatalog[*API]("iam", awsmodel.IAM())

// newID returns a fresh id in the form that tools expect: AIDA and 17 letters
// and digits.
func (api *API) newID(prefix string) (string, error) {
	raw := make([]byte, 11)
	if _, err := io.ReadFull(api.random(), raw); err != nil {
		return "", err
	}
	return prefix + base32.StdEncoding.EncodeToString(raw)[:17], nil
}

func (api *API) random() io.Reader {
	if api.Rand == nil {
		return rand.Reader
	}
	return api.Rand
}

// announce writes down, in the transaction of a change, what was changed: kind
// is user, group, role, policy, key, ..., what is created, changed or deleted.
func (api *API) announce(tx *store.Tx, account, kind, id, name, arn, what string) error {
	return tx.AnnounceChange(store.Change{Account: account, Kind: kind, ID: id, Name: name, ARN: arn, What: what}, api.Clock())
}

// The words of announcements.
const (
	created = "created"
	changed = "changed"
	deleted = "deleted"
)

// on returns an On whose resources find names, looked up in the store.
func on[In any](find func(t *things, in *In) error) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return func(ctx context.Context, api *API, who action.Caller, in *In) ([]action.Resource, error) {
		t := &things{api: api, who: who}
		err := api.Store.View(ctx, func(tx *store.Tx) error {
			t.tx = tx
			return find(t, in)
		})
		return t.all, err
	}
}

// onAccount is the On of an action on all things of a kind, such as user/*.
func onAccount[In any](kind string) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return func(_ context.Context, _ *API, who action.Caller, _ *In) ([]action.Resource, error) {
		return []action.Resource{{ARN: arn(who.Account, kind, "/", "*"), Owner: who.Account}}, nil
	}
}

// things collects the resources of one request.
type things struct {
	api *API
	tx  *store.Tx
	who action.Caller
	all []action.Resource
}

// add notes a thing of the caller's account.
func (t *things) add(arn string, tags store.Labels) {
	r := action.Resource{ARN: arn, Owner: t.who.Account}
	for _, l := range tags {
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		r.Tags[l.Key] = l.Value
	}
	t.all = append(t.all, r)
}

// arn names a thing of IAM: arn:aws:iam::123456789012:user/path/name.
func arn(account, kind, path, name string) string {
	if path == "" {
		path = "/"
	}
	return "arn:aws:iam::" + account + ":" + kind + path + name
}

// ptr returns a pointer to a copy of v, for members of answers that may be absent.
func ptr[T any](v T) *T { return &v }

// opt returns a pointer to s, or nil for the empty text.
func opt(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// val returns what p points to, or the zero.
func val[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
