// Package identity says what a verified credential means: who signs, for which
// account, and under which policies.
//
// An Identity is plain data. cloudctl reads it from its database in one view
// and gives it to the daemons that check signatures; it holds no secret. Rights
// are an Identity compiled: immutable, and shared by all requests of a key, so
// that a decision reads no database and parses nothing.
//
// The package keeps nothing and opens nothing, so a crash has nothing to undo.
package identity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"karri/shared/policy"
)

// The kinds of identities.
const (
	Root      = "root"      // the account itself
	User      = "user"      // of IAM
	Role      = "role"      // a session of a role
	Federated = "federated" // a session of GetFederationToken
	Component = "component" // a daemon of the cloud
)

// An Identity is who a credential belongs to, with all that decides what it
// may do.
type Identity struct {
	Kind    string `json:"kind"`
	Account string `json:"account"` // twelve digits
	Name    string `json:"name,omitempty"`
	ARN     string `json:"arn"`
	ID      string `json:"id"`               // AIDA..., AROA...:SESSION, or the account
	Holder  string `json:"holder,omitempty"` // id of the user who a federated one speaks for
	Admin   bool   `json:"admin,omitempty"`  // the account is the cloud administrator's
	Role    string `json:"role,omitempty"`   // ARN of the role of a session

	Tags        map[string]string `json:"tags,omitempty"`        // of the user or role
	SessionTags map[string]string `json:"sessionTags,omitempty"` // they hide those of the role
	Transitive  []string          `json:"transitive,omitempty"`  // keys of session tags that the next session of a chain has too

	Policies []Document `json:"policies,omitempty"` // own and attached ones, those of groups too
	Boundary []Document `json:"boundary,omitempty"` // none: no boundary
	Session  []Document `json:"session,omitempty"`  // none: the session was not narrowed
	Limits   []Document `json:"limits,omitempty"`   // laid on the account by the cloud's administrator

	Issued   *time.Time `json:"issued,omitempty"`  // of session credentials
	Expires  *time.Time `json:"expires,omitempty"` // of session credentials
	MFA      *time.Time `json:"mfa,omitempty"`     // when a second factor was shown
	Source   string     `json:"source,omitempty"`  // SourceIdentity
	Provider string     `json:"provider,omitempty"`
	Revision uint64     `json:"revision,omitempty"` // of the database that it was read from
}

// A Document is a policy as it was written.
type Document struct {
	Name string `json:"name,omitempty"`
	ARN  string `json:"arn,omitempty"` // of a managed policy
	Text string `json:"text"`
}

// Rights are an Identity compiled. They never change.
type Rights struct {
	Identity  *Identity
	Principal policy.Principal
	Policies  policy.Policies
	Limits    []*policy.Policy
	Limiting  []*policy.Policy // those of its own, of its boundary and session that limit something
}

// Parse reads a document of an identity. It is what Compile uses where nothing
// shares compiled policies.
func Parse(d Document) (*policy.Policy, error) {
	p, err := policy.Parse([]byte(d.Text), policy.Rules{})
	if err == nil {
		p.Name = d.Name
	}
	return p, err
}

// Compile makes the rights of i; nil parses each document by itself.
func (i *Identity) Compile(parse func(Document) (*policy.Policy, error)) (*Rights, error) {
	if parse == nil {
		parse = Parse
	}
	r := &Rights{Identity: i, Principal: policy.Principal{Account: i.Account, ARN: i.ARN, ID: i.ID, Role: i.Role}}
	r.Policies.All = i.Kind == Root
	for _, part := range []struct {
		from []Document
		to   *[]*policy.Policy
	}{{i.Policies, &r.Policies.Identity}, {i.Boundary, &r.Policies.Boundary}, {i.Session, &r.Policies.Session}, {i.Limits, &r.Limits}} {
		for _, d := range part.from {
			p, err := parse(d)
			if err != nil {
				return nil, fmt.Errorf("the policy %s of %s: %w", d.Name, i.ARN, err)
			}
			*part.to = append(*part.to, p)
		}
	}
	r.Policies.Account = r.Limits
	for _, p := range slices.Concat(r.Policies.Identity, r.Policies.Boundary, r.Policies.Session) {
		if slices.ContainsFunc(p.Statements, func(s *policy.Statement) bool { return s.Limit }) {
			r.Limiting = append(r.Limiting, p)
		}
	}
	return r, nil
}

// Maker returns what the things that somebody makes are marked with, and what
// is counted for somebody is counted by: the id of the user or role, whichever
// session asks; "" for the account itself.
func (i *Identity) Maker() string {
	if i.Holder != "" {
		return i.Holder
	}
	id, _, _ := strings.Cut(i.ID, ":") // a session is its role
	if id == i.Account {
		return "" // the account itself, or one of its federated users
	}
	return id
}

// RootOf returns the identity of an account itself.
func RootOf(account string, admin bool) *Identity {
	return &Identity{Kind: Root, Account: account, ARN: "arn:aws:iam::" + account + ":root", ID: account, Admin: admin}
}

// Admin reports whether the identity may do all in every account.
func (r *Rights) Admin() bool { return r != nil && r.Identity.Admin && r.Identity.Kind == Root }

const principalTag = "aws:principaltag/"

// Key answers the values of a condition key, by its lower-case name, that
// comes from the identity, at a time.
func (r *Rights) Key(key string, now time.Time) []string {
	i := r.Identity
	switch {
	case strings.HasPrefix(key, principalTag):
		return i.tag(key[len(principalTag):])
	case !strings.HasPrefix(key, "aws:") && !strings.HasPrefix(key, "sts:"):
		return nil
	}
	switch key {
	case "aws:multifactorauthpresent":
		if i.Expires != nil { // long-lived keys have no such key
			return []string{strconv.FormatBool(i.MFA != nil)}
		}
	case "aws:multifactorauthage":
		if i.MFA != nil {
			return []string{strconv.FormatInt(int64(now.Sub(*i.MFA)/time.Second), 10)}
		}
	case "aws:tokenissuetime":
		if i.Issued != nil {
			return []string{i.Issued.UTC().Format(time.RFC3339)}
		}
	case "aws:sourceidentity":
		return one(i.Source)
	case "aws:federatedprovider":
		return one(i.Provider)
	}
	return nil
}

// tag answers the value of a tag, whose key is compared without case.
func (i *Identity) tag(key string) []string {
	for _, tags := range []map[string]string{i.SessionTags, i.Tags} {
		for k, v := range tags {
			if strings.EqualFold(k, key) {
				return []string{v}
			}
		}
	}
	return nil
}

// Documents returns all documents of i.
func (i *Identity) Documents() []Document {
	return slices.Concat(i.Policies, i.Boundary, i.Session, i.Limits)
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
