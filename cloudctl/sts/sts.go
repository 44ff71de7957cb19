// Package sts is the public API that tells callers who they are, and gives them
// credentials that are good for a time. Each action has a file of its own,
// named after it.
//
// Who may take a role is decided as any other action is, by the policies of who
// asks, and by the trust policy of the role, which must always agree. What is
// given out is a session: it stands in its own token (package session) and is
// stored nowhere, so a crash loses nothing. Only that a code of a second factor
// was taken is written, before the session is given out: it counts once.
package sts

import (
	"context"
	"time"

	"karri/cloudctl/federation"
	"karri/cloudctl/mfa"
	"karri/cloudctl/session"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/awsmodel"
)

// API holds what the actions need.
type API struct {
	Store    *store.Store
	Vault    mfa.Vault
	Clock    func() time.Time
	Sessions *session.Desk
	// Issuers checks the tokens of web identities.
	Issuers Issuers
}

// Issuers checks tokens of OIDC providers.
type Issuers interface {
	Verify(ctx context.Context, p *store.OIDCProvider, token string) (*federation.Identity, error)
}

// Catalog holds every action of this package.
var Catalog = action.NewCatalog[*API]("sts", awsmodel.STS())

// Credentials are those of a session.
type Credentials struct {
	AccessKeyId     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

func show(c session.Credentials) *Credentials {
	return &Credentials{AccessKeyId: c.AccessKey, SecretAccessKey: c.Secret, SessionToken: c.Token, Expiration: c.Expires}
}

// AssumedRoleUser is a session of a role.
type AssumedRoleUser struct {
	AssumedRoleId string
	Arn           string
}

// ptr returns a pointer to a copy of v, for members of answers that may be absent.
func ptr[T any](v T) *T { return &v }

// val returns what p points to, or the zero.
func val[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// opt returns a pointer to s, or nil for the empty text.
func opt(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
