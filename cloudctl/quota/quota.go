// Package quota says how much an account, and a user in it, may have.
//
// A quota is named by the condition key that policies bound it with:
// ec2:quota-volumenumber. Three layers bound it. The defaults of this package
// are for every account; a statement with the effect Limit in a policy that the
// cloud's administrator laid on the account takes their place; and Limit
// statements in the policies of a user, its groups or a role, in the boundary
// and in the policies of a session bound what that user or role makes, whatever
// the account may still have. What a group's policy limits is what each of its
// users makes, and what a session's does is what its user or role holds by then,
// whichever session made it.
//
// What buckets hold walrus counts, in the transaction that would exceed it: it
// is told the account's bounds (Share), and reads those of whoever asks in the
// policies that it knows anyway.
//
// There are no counters: Check and Left count the rows in the transaction that
// is about to add one, and read the policies in it too. Writers go one after
// another, so nothing is exceeded however many ask at once, and a crash cannot
// leave a number that is wrong.
package quota

import (
	"math"
	"slices"
	"strings"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/policy"
)

// None is the bound of what is not bounded.
const None = math.MaxInt64

// A Bound is how much of a quota somebody may have, and has.
type Bound struct {
	Quota *Quota
	Most  int64 // None: any number
	Held  int64
	// By names the policy that bounds it; "" is the default of every account.
	By string
	// Maker is whose making is bounded: the ARN of a user or a role session; ""
	// is the whole account.
	Maker string
}

// Left is how many more there may be.
func (b Bound) Left() int64 { return max(b.Most-b.Held, 0) }

// A Desk knows the policies that bound one caller, as they are in one
// transaction; it is not used after it.
type Desk struct {
	tx      *store.Tx
	who     action.Caller
	maker   string
	account []*policy.Policy
	own     []*policy.Policy // of the maker, and what bounds its session
}

// For reads the policies that bound a caller.
func For(tx *store.Tx, who action.Caller) (*Desk, error) {
	d := &Desk{tx: tx, who: who, maker: Creator(who)}
	var err error
	if d.account, err = limiting(tx, who.Account); err == nil && d.maker != "" {
		d.own, err = ofMaker(tx, d.maker)
	}
	if who.Rights != nil {
		d.own = slices.Concat(d.own, who.Rights.Policies.Boundary, who.Rights.Policies.Session)
	}
	return d, err
}

// Check refuses, with the service's own code, more of what a quota is about
// than the caller's account and the caller itself may have.
func Check(tx *store.Tx, who action.Caller, name string, more int64) error {
	d, err := For(tx, who)
	if err != nil {
		return err
	}
	return d.Check(name, more)
}

// Check is the function Check.
func (d *Desk) Check(name string, more int64) error {
	b, err := d.Left(name)
	if err == nil && more > b.Left() {
		err = b.Exceeded(more)
	}
	return err
}

// Left returns the bound of a quota that leaves the least: of the account or,
// where policies bound what the caller makes, of the caller.
func (d *Desk) Left(name string) (Bound, error) {
	q := Named(name)
	b, err := ofAccount(d.tx, d.who.Account, q, d.account)
	most, by := q.limit(d.who.Account, d.own)
	if err != nil || by == "" {
		return b, err
	}
	own := Bound{Quota: q, Most: most, By: by, Maker: d.who.ARN}
	if own.Held, err = held(d.tx, q, d.who.Account, d.maker); err == nil && own.Left() < b.Left() {
		b = own
	}
	return b, err
}

// OfAccount returns the bound that holds for an account as a whole.
func OfAccount(tx *store.Tx, account, name string) (Bound, error) {
	texts, err := limiting(tx, account)
	if err != nil {
		return Bound{}, err
	}
	return ofAccount(tx, account, Named(name), texts)
}

func ofAccount(tx *store.Tx, account string, q *Quota, texts []*policy.Policy) (b Bound, err error) {
	b = Bound{Quota: q, Most: q.Default}
	if most, by := q.limit(account, texts); by != "" {
		b.Most, b.By = most, by
	}
	b.Held, err = held(tx, q, account, "")
	return b, err
}

func held(tx *store.Tx, q *Quota, account, maker string) (int64, error) {
	if !store.Counts(q.Name) { // of one thing, or what another daemon counts
		return 0, nil
	}
	return tx.Held(q.Name, account, maker)
}

// Exceeded is the refusal of more than a bound leaves.
func (b Bound) Exceeded(more int64) error {
	q := b.Quota
	whose := "your account"
	if b.Maker != "" {
		whose = b.Maker
	}
	by := ""
	if b.By != "" {
		by = ", by the policy " + b.By
	}
	if strings.HasPrefix(q.Name, "iam:") {
		return fault.New(fault.Conflict, q.Code, "Cannot exceed quota for %s: %d (of %s%s)", q.Title, b.Most, whose, by)
	}
	return fault.New(fault.Full, q.Code, "You have requested more %s (%d) than the limit of %d for %s allows%s.", q.Word, b.Held+more, b.Most, whose, by)
}

// Share returns the bounds that are laid on what an account has in buckets, in
// the form that walrus keeps them in.
func Share(tx *store.Tx, account string) (a bucket.Amount, err error) {
	texts, err := limiting(tx, account)
	for name, to := range map[string]*int64{Buckets: &a.Buckets, Objects: &a.Objects, Bytes: &a.Bytes} {
		most, by := Named(name).limit(account, texts)
		switch {
		case by == "" || most == None:
		case most == 0:
			*to = bucket.Nothing
		default:
			*to = most
		}
	}
	return a, err
}

// Creator returns what the things that a caller makes are marked with: the id
// of the user or role; "" for the account itself.
func Creator(who action.Caller) string {
	i := identity.Identity{Account: who.Account, ID: who.UserID}
	if who.Rights != nil {
		i.Holder = who.Rights.Identity.Holder
	}
	return i.Maker()
}

// limiting returns the policies with limits that are laid on holders.
func limiting(tx *store.Tx, holders ...string) ([]*policy.Policy, error) {
	rows, err := tx.PoliciesOn(holders...)
	if err != nil {
		return nil, err
	}
	var all []*policy.Policy
	for _, r := range rows {
		if !strings.Contains(r.Document, "Limit") && !strings.Contains(r.Document, `\u`) {
			continue // most have none, and need not be read
		}
		p, err := policy.Parse([]byte(r.Document), policy.Rules{})
		if err != nil {
			return nil, fault.New(fault.Broken, "InternalError", "A policy cannot be read.").Because(err)
		}
		p.Name = r.Name
		all = append(all, p)
	}
	return all, nil
}

// ofMaker returns the policies with limits of a user, its groups, or a role.
func ofMaker(tx *store.Tx, maker string) ([]*policy.Policy, error) {
	holders := []string{maker}
	if strings.HasPrefix(maker, "AIDA") {
		groups, err := tx.GroupsOfUser(maker)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			holders = append(holders, g.ID)
		}
	}
	return limiting(tx, holders...)
}

// limit returns the tightest limit on q that policies set, and the name of the
// policy; "" if none does.
func (q *Quota) limit(account string, policies []*policy.Policy) (most int64, by string) {
	for _, a := range q.Actions {
		l, ok := policy.LimitOf(q.request(account, a), q.Name, policies)
		if ok && (by == "" || l.Most < most) {
			most, by = l.Most, l.By.Policy.Name
		}
	}
	return most, by
}

func (q *Quota) request(account, permission string) *policy.Request {
	return &policy.Request{Principal: policy.Principal{Account: account}, Action: permission, Resource: q.resource(account), Owner: account}
}

// Expiry returns when policies end an instance that the caller starts now, and
// the name of the policy; nil: never.
func (d *Desk) Expiry(now time.Time) (*time.Time, string) {
	e, ok := policy.ExpiryOf(Named(Instances).request(d.who.Account, "ec2:RunInstances"), now, slices.Concat(d.account, d.own))
	if !ok {
		return nil, ""
	}
	return &e.At, e.By.Policy.Name
}
