package iam

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/policy"
)

// inlineRoom is how many characters, white space not counted, the inline
// policies of a holder may have together.
var inlineRoom = map[string]int{"user": 2048, "group": 5120, "role": 10240}

var sidForm = regexp.MustCompile(`^[0-9A-Za-z]*$`)

// checkPolicy refuses a document that is no policy of an identity.
func checkPolicy(document string) error {
	p, err := policy.Parse([]byte(document), policy.Rules{Max: 1 << 17})
	if err != nil {
		return malformed(err)
	}
	return checkSids(p)
}

// checkSids refuses what policies of IAM, unlike those of buckets, may not call
// their statements.
func checkSids(p *policy.Policy) error {
	for _, s := range p.Statements {
		if !sidForm.MatchString(s.Sid) {
			return fault.New(fault.Invalid, "MalformedPolicyDocument", "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*: %.100q", s.Sid)
		}
	}
	return nil
}

// malformed gives what policy.Parse says the code of this API.
func malformed(err error) error {
	if fault.CodeOf(err) != policy.Malformed {
		return err
	}
	return fault.New(fault.Invalid, "MalformedPolicyDocument", "%s", fault.Of(err).Text)
}

// dense counts the characters of a document that are no white space.
func dense(document string) int {
	n := 0
	for _, c := range []byte(document) {
		if !strings.ContainsRune(" \t\r\n", rune(c)) {
			n++
		}
	}
	return n
}

// encodePolicy returns a document as answers carry it: percent-encoded.
func encodePolicy(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

// putInline gives a holder an inline policy, in place of the one of that name.
func (api *API) putInline(tx *store.Tx, h holder, name, document string) error {
	if err := checkName("policyName", name); err != nil {
		return err
	}
	if err := checkPolicy(document); err != nil {
		return err
	}
	all, err := tx.InlinePolicies(h.id)
	if err != nil {
		return err
	}
	size := dense(document)
	p := &store.InlinePolicy{Holder: h.id, Name: name, Account: h.account, Document: document, Created: api.Clock()}
	for _, old := range all {
		if old.Name == name {
			p.Created = old.Created
			continue
		}
		size += dense(old.Document)
	}
	if size > inlineRoom[h.kind] {
		return fault.New(fault.Full, "LimitExceeded", "Maximum policy size of %d bytes exceeded for %s %s", inlineRoom[h.kind], h.kind, h.name)
	}
	if err := tx.Put(p); err != nil {
		return err
	}
	return api.held(tx, h)
}

// dropInline takes an inline policy from a holder.
func (api *API) dropInline(tx *store.Tx, h holder, name string) error {
	p, err := inline(tx, h, name)
	if err != nil {
		return err
	}
	if err := tx.Drop(p); err != nil {
		return err
	}
	return api.held(tx, h)
}

// inline returns an inline policy of a holder.
func inline(tx *store.Tx, h holder, name string) (*store.InlinePolicy, error) {
	p, err := tx.InlinePolicy(h.id, name)
	if fault.KindOf(err) == fault.Missing {
		return nil, fault.New(fault.Missing, "NoSuchEntity", "The %s policy with name %s cannot be found.", h.kind, name)
	}
	return p, err
}

// inlineNames returns a page of the names of a holder's inline policies.
func inlineNames(ctx context.Context, tx *store.Tx, h holder) ([]string, *string, error) {
	rows, err := tx.InlinePolicies(h.id)
	if err != nil {
		return nil, nil, err
	}
	return paged(ctx, rows, func(p store.InlinePolicy) string { return p.Name }, func(p *store.InlinePolicy) string { return p.Name })
}

// paged returns a page of rows as answers show them.
func paged[R, T any](ctx context.Context, rows []R, key func(R) string, show func(*R) T) ([]T, *string, error) {
	rows, next, err := action.Page(ctx, rows, key)
	out := make([]T, 0, len(rows))
	for i := range rows {
		out = append(out, show(&rows[i]))
	}
	return out, next, err
}
