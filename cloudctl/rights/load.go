package rights

import (
	"fmt"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/identity"
)

// Root returns the identity of an account itself.
func Root(tx *store.Tx, a *store.Account) (*identity.Identity, error) {
	i := identity.RootOf(a.ID, a.Admin)
	i.Name = a.Name
	return i, laid(tx, i)
}

// User returns the identity of a user.
func User(tx *store.Tx, a *store.Account, u *store.User) (*identity.Identity, error) {
	i := &identity.Identity{
		Kind: identity.User, Account: a.ID, Name: u.Name, ARN: u.ARN(), ID: u.ID, Admin: a.Admin, Tags: labels(u.Tags),
	}
	all, err := tx.PoliciesOfUser(a.ID, u.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		d := identity.Document{Name: p.Name, ARN: p.ARN, Text: p.Text}
		switch {
		case p.Laid:
			i.Limits = append(i.Limits, d)
			continue
		case p.ARN != "":
			if d, err = managed.Held(p); err != nil {
				return nil, lost(p.ARN, u.ID, err)
			}
		}
		i.Policies = append(i.Policies, d)
	}
	return i, bound(tx, i, u.Boundary)
}

// Role returns the identity of sessions of a role; what is the session's own,
// its name and all that narrows it, is the caller's to add.
func Role(tx *store.Tx, a *store.Account, r *store.Role) (*identity.Identity, error) {
	i := &identity.Identity{
		Kind: identity.Role, Account: a.ID, Name: r.Name, ARN: r.ARN(), ID: r.ID, Role: r.ARN(), Admin: a.Admin, Tags: labels(r.Tags),
	}
	if err := held(tx, i, r.ID); err != nil {
		return nil, err
	}
	if err := bound(tx, i, r.Boundary); err != nil {
		return nil, err
	}
	return i, laid(tx, i)
}

// held adds what a user, group or role has: its inline policies and those
// attached to it.
func held(tx *store.Tx, i *identity.Identity, holder string) error {
	inline, err := tx.InlinePolicies(holder)
	if err != nil {
		return err
	}
	for _, p := range inline {
		i.Policies = append(i.Policies, identity.Document{Name: p.Name, Text: p.Document})
	}
	attached, err := tx.AttachedTo(holder)
	if err != nil {
		return err
	}
	for _, a := range attached {
		d, err := managed.Document(tx, a.Policy)
		if err != nil {
			return lost(a.Policy, holder, err)
		}
		i.Policies = append(i.Policies, d)
	}
	return nil
}

// lost turns the fault that a policy is not there, which is attached, into one
// of ours: not the key is unknown, but what it may do.
func lost(arn, holder string, err error) error {
	if fault.KindOf(err) != fault.Missing {
		return err
	}
	return fault.New(fault.Broken, "InternalFailure", "A policy that is attached cannot be found.").Because(fmt.Errorf("%s, attached to %s: %w", arn, holder, err))
}

// bound sets the boundary. One that cannot be found lets nothing through.
func bound(tx *store.Tx, i *identity.Identity, arn string) error {
	if arn == "" {
		return nil
	}
	d, err := managed.Document(tx, arn)
	if fault.KindOf(err) == fault.Missing {
		d, err = identity.Document{Name: "missing boundary", ARN: arn, Text: nothing}, nil
	}
	i.Boundary = []identity.Document{d}
	return err
}

const nothing = `{"Version":"2012-10-17","Statement":[{"Sid":"TheBoundaryIsGone","Effect":"Deny","Action":"*","Resource":"*"}]}`

// laid adds what the cloud's administrator laid on the account.
func laid(tx *store.Tx, i *identity.Identity) error {
	inline, err := tx.InlinePolicies(i.Account)
	for _, p := range inline {
		i.Limits = append(i.Limits, identity.Document{Name: p.Name, Text: p.Document})
	}
	return err
}

func labels(from store.Labels) map[string]string {
	if len(from) == 0 {
		return nil
	}
	out := make(map[string]string, len(from))
	for _, l := range from {
		out[l.Key] = l.Value
	}
	return out
}

// Group returns what a group gives to its users, as an identity that nobody has.
func Group(tx *store.Tx, a *store.Account, g *store.UserGroup) (*identity.Identity, error) {
	i := &identity.Identity{Kind: identity.User, Account: a.ID, Name: g.Name, ARN: g.ARN(), ID: g.ID}
	return i, held(tx, i, g.ID)
}
