package iam

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// maxAttached is how many managed policies one user, group or role may have.
const maxAttached = 10

// AttachedPolicy is a managed policy that is attached to something.
type AttachedPolicy struct {
	PolicyName string
	PolicyArn  string
}

// attachable returns the name of a managed policy that the account may attach.
func (api *API) attachable(tx *store.Tx, account, arn string) (string, error) {
	if !strings.HasPrefix(arn, "arn:aws:iam::") {
		return "", validation("ARN %.100s is not valid.", arn)
	}
	return api.Managed.Attachable(tx, account, arn)
}

// bound returns the ARN of a policy that may bound what a user or role of the
// account may; "" is none.
func (api *API) bound(tx *store.Tx, account, arn string) (string, error) {
	if arn == "" {
		return "", nil
	}
	_, err := api.attachable(tx, account, arn)
	return arn, err
}

// attach gives a managed policy to a holder; one that it has already is fine.
func (api *API) attach(tx *store.Tx, h holder, arn string) error {
	if _, err := api.attachable(tx, h.account, arn); err != nil {
		return err
	}
	has, err := tx.AttachedTo(h.id)
	if err != nil || slices.ContainsFunc(has, func(a store.PolicyAttachment) bool { return a.Policy == arn }) {
		return err
	}
	if len(has) >= maxAttached {
		return fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for PoliciesPer%s%s: %d", strings.ToUpper(h.kind[:1]), h.kind[1:], maxAttached)
	}
	if err := tx.Add(&store.PolicyAttachment{Holder: h.id, Policy: arn, Account: h.account, Created: api.Clock()}); err != nil {
		return err
	}
	return api.held(tx, h)
}

// detach takes a managed policy from a holder.
func (api *API) detach(tx *store.Tx, h holder, arn string) error {
	has, err := tx.AttachedTo(h.id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(has, func(a store.PolicyAttachment) bool { return a.Policy == arn })
	if i < 0 {
		return fault.New(fault.Missing, "NoSuchEntity", "Policy %s was not found.", arn)
	}
	if err := tx.Drop(&has[i]); err != nil {
		return err
	}
	return api.held(tx, h)
}

// attached returns a page of the managed policies of a holder, those whose path
// begins with prefix.
func attached(ctx context.Context, tx *store.Tx, h holder, prefix string) ([]AttachedPolicy, *string, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, nil, err
	}
	rows, err := tx.AttachedTo(h.id)
	if err != nil {
		return nil, nil, err
	}
	rows = slices.DeleteFunc(rows, func(a store.PolicyAttachment) bool {
		_, path, _ := strings.Cut(a.Policy, ":policy")
		return !strings.HasPrefix(path, prefix)
	})
	return paged(ctx, rows, func(a store.PolicyAttachment) string { return shortKey(nameOf(a.Policy), a.Policy) },
		func(a *store.PolicyAttachment) AttachedPolicy {
			return AttachedPolicy{PolicyName: nameOf(a.Policy), PolicyArn: a.Policy}
		})
}

// nameOf returns the last part of an ARN.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// shortKey is the key of a thing in a list, in order of name: no longer than
// what fits into a Marker, however long whole is.
func shortKey(name, whole string) string {
	sum := sha256.Sum256([]byte(whole))
	return name[:min(len(name), 100)] + " " + hex.EncodeToString(sum[:8])
}

// withPolicy notes, on the resources of a request, which managed policy it is about.
func (t *things) withPolicy(arn string) {
	for i := range t.all {
		note(&t.all[i], "iam:PolicyARN", arn)
	}
}

// onBoundary notes which boundary a request gives to what it makes or changes.
func onBoundary(r *action.Resource, arn string) {
	if arn != "" {
		note(r, "iam:PermissionsBoundary", arn)
	}
}

// note gives a resource the value of a condition key.
func note(r *action.Resource, key, value string) {
	if r.Keys == nil {
		r.Keys = map[string][]string{}
	}
	r.Keys[key] = []string{value}
}

// tagged asks for the permission to give tags, too, on what a request makes.
func (t *things) tagged(permission string, tags []Tag) {
	if len(tags) == 0 {
		return
	}
	r := t.all[len(t.all)-1]
	r.Permission = permission
	t.all = append(t.all, r)
}
