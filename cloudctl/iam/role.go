package iam

import (
	"context"
	"time"

	"karri/cloudctl/principal"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/policy"
)

const (
	// trustRoom is how many characters, white space not counted, a trust policy may have.
	trustRoom = 2048
	// lifeOfSession is how long the sessions of a role may last when nobody says.
	lifeOfSession = 3600
)

// Role is a role as answers show it.
type Role struct {
	Path                     string
	RoleName                 string
	RoleId                   string
	Arn                      string
	CreateDate               time.Time
	AssumeRolePolicyDocument *string
	Description              *string
	MaxSessionDuration       *int
	PermissionsBoundary      *AttachedPermissionsBoundary
	Tags                     []Tag
	RoleLastUsed             *RoleLastUsed
}

// RoleLastUsed says when a session of a role was last used; empty: never.
type RoleLastUsed struct {
	LastUsedDate *time.Time
	Region       *string
}

// briefRole is a role as lists show it.
func briefRole(tx *store.Tx, r *store.Role) (Role, error) {
	document, err := trust(tx, r)
	return Role{
		Path: r.Path, RoleName: r.Name, RoleId: r.ID, Arn: r.ARN(), CreateDate: r.Created, AssumeRolePolicyDocument: &document,
		Description: opt(r.Description), MaxSessionDuration: ptr(r.MaxSession),
	}, err
}

// fullRole is a role with all that is known of it.
func fullRole(tx *store.Tx, r *store.Role) (*Role, error) {
	out, err := briefRole(tx, r)
	out.PermissionsBoundary, out.Tags, out.RoleLastUsed = boundary(r.Boundary), tagList(r.Tags), lastUsed(r)
	return &out, err
}

func lastUsed(r *store.Role) *RoleLastUsed {
	return &RoleLastUsed{LastUsedDate: r.Used, Region: opt(r.UsedRegion)}
}

// role notes the role of that name.
func (t *things) role(name string) error {
	r, err := t.tx.Role(t.who.Account, name)
	switch {
	case err == nil:
		t.add(r.ARN(), r.Tags)
		onBoundary(&t.all[len(t.all)-1], r.Boundary)
	case fault.KindOf(err) == fault.Missing:
		t.add(arn(t.who.Account, "role", "/", name), nil)
	default:
		return err
	}
	return nil
}

// onRole is the On of an action on a named role.
func onRole[In any](name func(in *In) string) func(t *things, in *In) error {
	return func(t *things, in *In) error { return t.role(name(in)) }
}

// withRole runs do in a transaction, on a role of the caller's account.
func (api *API) withRole(ctx context.Context, who action.Caller, name string, do func(tx *store.Tx, r *store.Role) error) error {
	return api.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := tx.Role(who.Account, name)
		if err != nil {
			return err
		}
		return do(tx, r)
	})
}

// viewRole is withRole for what only reads.
func (api *API) viewRole(ctx context.Context, who action.Caller, name string, do func(tx *store.Tx, r *store.Role) error) error {
	return api.Store.View(ctx, func(tx *store.Tx) error {
		r, err := tx.Role(who.Account, name)
		if err != nil {
			return err
		}
		return do(tx, r)
	})
}

// putRole writes a role that was changed, and announces it.
func (api *API) putRole(tx *store.Tx, r *store.Role) error {
	if err := tx.Put(r); err != nil {
		return err
	}
	return api.announceRole(tx, r, changed)
}

func (api *API) announceRole(tx *store.Tx, r *store.Role, what string) error {
	return api.announce(tx, r.Account, "role", r.ID, r.Name, r.ARN(), what)
}

// pinTrust returns a trust policy as it is kept. It refuses a document that is
// none, or that trusts somebody who is not there.
func pinTrust(tx *store.Tx, document string) (string, error) {
	p, err := policy.Parse([]byte(document), policy.Rules{Trust: true, Max: 1 << 17})
	if err != nil {
		return "", malformed(err)
	}
	if err := checkSids(p); err != nil {
		return "", err
	}
	if dense(document) > trustRoom {
		return "", fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d", trustRoom)
	}
	return principal.Pin(tx, document)
}

// trust returns the trust policy of a role as answers carry it.
func trust(tx *store.Tx, r *store.Role) (string, error) {
	document, err := principal.Show(tx, r.Trust)
	return encodePolicy(document), err
}

// checkMaxSession refuses a bound on sessions that no role may have.
func checkMaxSession(seconds int) error {
	if seconds < 3600 || seconds > 43200 {
		return validation("The requested MaxSessionDuration must be between 3600 and 43200 seconds.")
	}
	return nil
}
