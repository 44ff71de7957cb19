package account

import (
	"context"
	"regexp"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/policy"
)

var policyName = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)

// maxPolicies is how many policies may be laid on an account.
const maxPolicies = 50

// PutPolicy lays a policy on an account (its id, name or alias), in place of one of that name. It can
// limit and deny; what an account may do at all is not a matter of policies.
func (b *Book) PutPolicy(ctx context.Context, account, name, document string) error {
	if !policyName.MatchString(name) {
		return fault.New(fault.Invalid, "InvalidParameterValue", "A policy's name has 1 to 128 letters, digits and +=,.@_-.")
	}
	p, err := policy.Parse([]byte(document), policy.Rules{})
	if err != nil {
		return fault.New(fault.Invalid, "MalformedPolicyDocument", "%s", fault.Of(err).Text)
	}
	for _, s := range p.Statements {
		if !s.Limit && !s.Deny {
			return fault.New(fault.Invalid, "MalformedPolicyDocument",
				"Statement[%d].Effect: the policy of an account limits and denies; it cannot allow what the account's own policies do not.", s.Index)
		}
	}
	return b.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.AccountCalled(account)
		if err != nil {
			return err
		}
		all, err := tx.InlinePolicies(a.ID)
		if err != nil {
			return err
		}
		what := "created"
		for _, other := range all {
			if other.Name == name {
				what = "changed"
			}
		}
		if what == "created" && len(all) >= maxPolicies {
			return fault.New(fault.Conflict, "LimitExceeded", "An account may have %d policies laid on it.", maxPolicies)
		}
		if err := tx.Put(&store.InlinePolicy{Holder: a.ID, Name: name, Account: a.ID, Document: document, Created: b.Clock()}); err != nil {
			return err
		}
		return b.announcePolicy(tx, a.ID, name, what)
	})
}

func (b *Book) announcePolicy(tx *store.Tx, account, name, what string) error {
	return tx.AnnounceChange(store.Change{Account: account, Kind: "account", ID: account, Name: name, ARN: RootARN(account), What: what}, b.Clock())
}

// Policies returns what is laid on an account, by name.
func (b *Book) Policies(ctx context.Context, account string) (all []store.InlinePolicy, err error) {
	err = b.Store.View(ctx, func(tx *store.Tx) error {
		a, err := tx.AccountCalled(account)
		if err != nil {
			return err
		}
		all, err = tx.InlinePolicies(a.ID)
		return err
	})
	return all, err
}

// Policy returns one of them.
func (b *Book) Policy(ctx context.Context, account, name string) (p *store.InlinePolicy, err error) {
	err = b.Store.View(ctx, func(tx *store.Tx) error {
		a, err := tx.AccountCalled(account)
		if err != nil {
			return err
		}
		p, err = tx.InlinePolicy(a.ID, name)
		return err
	})
	return p, err
}

// DeletePolicy takes a policy off an account.
func (b *Book) DeletePolicy(ctx context.Context, account, name string) error {
	return b.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.AccountCalled(account)
		if err != nil {
			return err
		}
		p, err := tx.InlinePolicy(a.ID, name)
		if err != nil {
			return err
		}
		if err := tx.Drop(p); err != nil {
			return err
		}
		return b.announcePolicy(tx, a.ID, name, "deleted")
	})
}
