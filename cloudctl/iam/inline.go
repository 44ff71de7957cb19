package iam

import (
	"context"
	"net/url"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/policy"
)

// inlineRoom is how many characters, white space not counted, the inline
// policies of a holder may have together.
var inlineRoom = map[string]int{"user": 2048, "group": 5120, "role": 10240}

// checkPolicy refuses a document that is no policy of an identity. What is
// counted for accounts alone cannot be limited for a user.
func checkPolicy(document string) error {
	p, err := policy.Parse([]byte(document), policy.Rules{Max: 1 << 17})
	if err != nil {
		return malformed(err)
	}
	for _, s := range p.Statements {
		for _, c := range s.Conditions {
			if s.Limit && strings.HasPrefix(strings.ToLower(c.Key), "s3:") {
				return fault.New(fault.Invalid, "MalformedPolicyDocument",
					"Statement[%d].Condition: '%s' is counted for the account as a whole, which the cloud's administrator limits.", s.Index, c.Key)
			}
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
