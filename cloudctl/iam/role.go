package iam

import (
	"context"
	"strings"
	"time"

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
func briefRole(r *store.Role) Role {
	return Role{
		Path: r.Path, RoleName: r.Name, RoleId: r.ID, Arn: r.ARN(), CreateDate: r.Created, AssumeRolePolicyDocument: ptr(encodePolicy(r.Trust)),
		Description: opt(r.Description), MaxSessionDuration: ptr(r.MaxSession),
	}
}

// fullRole is a role with all that is known of it.
func fullRole(r *store.Role) Role {
	out := briefRole(r)
	out.PermissionsBoundary, out.Tags, out.RoleLastUsed = boundary(r.Boundary), tagList(r.Tags), lastUsed(r)
	return out
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

// checkTrust refuses a document that is no trust policy, or that trusts
// somebody who is not there.
func checkTrust(tx *store.Tx, document string) error {
	p, err := policy.Parse([]byte(document), policy.Rules{Trust: true, Max: 1 << 17})
	if err != nil {
		return malformed(err)
	}
	if dense(document) > trustRoom {
		return fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d", trustRoom)
	}
	for _, s := range p.Statements {
		for _, r := range s.Principals {
			if err := checkPrincipal(tx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkPrincipal refuses a principal of this cloud that does not exist.
func checkPrincipal(tx *store.Tx, r policy.PrincipalRef) error {
	if r.Kind != "AWS" || r.Everyone() {
		return nil
	}
	kind, name, _ := strings.Cut(r.Value[strings.LastIndexByte(r.Value, ':')+1:], "/")
	name = name[strings.LastIndexByte(name, '/')+1:]
	_, err := tx.Account(r.Account())
	if err == nil {
		switch kind {
		case "user":
			var u *store.User
			if u, err = tx.User(r.Account(), name); err == nil && u.ARN() != r.Value {
				err = fault.New(fault.Missing, "NoSuchEntity", "It has another path.")
			}
		case "role":
			_, err = tx.RoleByARN(r.Value)
		}
	}
	if fault.KindOf(err) == fault.Missing {
		return fault.New(fault.Invalid, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":%q", r.Value)
	}
	return err
}

// checkMaxSession refuses a bound on sessions that no role may have.
func checkMaxSession(seconds int) error {
	if seconds < 3600 || seconds > 43200 {
		return validation("The requested MaxSessionDuration must be between 3600 and 43200 seconds.")
	}
	return nil
}
