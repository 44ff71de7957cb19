package iam

import (
	"context"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// InstanceProfile carries a role to instances, as answers show it.
type InstanceProfile struct {
	Path                string
	InstanceProfileName string
	InstanceProfileId   string
	Arn                 string
	CreateDate          time.Time
	Roles               []Role
	Tags                []Tag
}

// showProfile is a profile with its role.
func showProfile(tx *store.Tx, p *store.InstanceProfile) (InstanceProfile, error) {
	out := InstanceProfile{Path: p.Path, InstanceProfileName: p.Name, InstanceProfileId: p.ID, Arn: p.ARN(), CreateDate: p.Created, Roles: []Role{}, Tags: tagList(p.Tags)}
	if p.Role == "" {
		return out, nil
	}
	r, err := tx.RoleByID(p.Role)
	if err != nil {
		return out, err
	}
	role, err := briefRole(tx, r)
	out.Roles = append(out.Roles, role)
	return out, err
}

// profile notes the instance profile of that name.
func (t *things) profile(name string) error {
	p, err := t.tx.InstanceProfile(t.who.Account, name)
	switch {
	case err == nil:
		t.add(p.ARN(), p.Tags)
	case fault.KindOf(err) == fault.Missing:
		t.add(arn(t.who.Account, "instance-profile", "/", name), nil)
	default:
		return err
	}
	return nil
}

// onProfile is the On of an action on a named instance profile.
func onProfile[In any](name func(in *In) string) func(t *things, in *In) error {
	return func(t *things, in *In) error { return t.profile(name(in)) }
}

// withProfile runs do in a transaction, on an instance profile of the caller's account.
func (api *API) withProfile(ctx context.Context, who action.Caller, name string, do func(tx *store.Tx, p *store.InstanceProfile) error) error {
	return api.Store.InTx(ctx, func(tx *store.Tx) error {
		p, err := tx.InstanceProfile(who.Account, name)
		if err != nil {
			return err
		}
		return do(tx, p)
	})
}

// putProfile writes a profile that was changed, and announces it.
func (api *API) putProfile(tx *store.Tx, p *store.InstanceProfile) error {
	if err := tx.Put(p); err != nil {
		return err
	}
	return api.announceProfile(tx, p, changed)
}

func (api *API) announceProfile(tx *store.Tx, p *store.InstanceProfile, what string) error {
	return api.announce(tx, p.Account, "instance-profile", p.ID, p.Name, p.ARN(), what)
}

// profilePage returns a page of instance profiles as answers show them.
func profilePage(ctx context.Context, tx *store.Tx, rows []store.InstanceProfile) ([]InstanceProfile, *string, error) {
	rows, next, err := action.Page(ctx, rows, func(p store.InstanceProfile) string { return p.Folded })
	out := []InstanceProfile{}
	for i := 0; i < len(rows) && err == nil; i++ {
		var p InstanceProfile
		p, err = showProfile(tx, &rows[i])
		out = append(out, p)
	}
	return out, next, err
}
