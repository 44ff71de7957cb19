package iam

import (
	"context"

	"karri/cloudctl/account"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// A holder is a user, group or role: what has policies.
type holder struct {
	kind    string // user, group or role
	account string
	id      string
	name    string
	arn     string
}

func ofUser(u *store.User) holder { return holder{"user", u.Account, u.ID, u.Name, u.ARN()} }

func ofGroup(g *store.UserGroup) holder { return holder{"group", g.Account, g.ID, g.Name, g.ARN()} }

func ofRole(r *store.Role) holder { return holder{"role", r.Account, r.ID, r.Name, r.ARN()} }

// held announces that the policies of a holder changed.
func (api *API) held(tx *store.Tx, h holder) error {
	return api.announce(tx, h.account, h.kind, h.id, h.name, h.arn, changed)
}

// withUser runs do in a transaction, on a user of the caller's account.
func (api *API) withUser(ctx context.Context, who action.Caller, name string, do func(tx *store.Tx, u *store.User) error) error {
	return api.Store.InTx(ctx, func(tx *store.Tx) error {
		u, err := tx.User(who.Account, name)
		if err != nil {
			return err
		}
		return do(tx, u)
	})
}

// viewUser is withUser for what only reads.
func (api *API) viewUser(ctx context.Context, who action.Caller, name string, do func(tx *store.Tx, u *store.User) error) error {
	return api.Store.View(ctx, func(tx *store.Tx) error {
		u, err := tx.User(who.Account, name)
		if err != nil {
			return err
		}
		return do(tx, u)
	})
}

// withGroup runs do in a transaction, on a group of the caller's account.
func (api *API) withGroup(ctx context.Context, who action.Caller, name string, do func(tx *store.Tx, g *store.UserGroup) error) error {
	return api.Store.InTx(ctx, func(tx *store.Tx) error {
		g, err := tx.UserGroup(who.Account, name)
		if err != nil {
			return err
		}
		return do(tx, g)
	})
}

// viewGroup is withGroup for what only reads.
func (api *API) viewGroup(ctx context.Context, who action.Caller, name string, do func(tx *store.Tx, g *store.UserGroup) error) error {
	return api.Store.View(ctx, func(tx *store.Tx) error {
		g, err := tx.UserGroup(who.Account, name)
		if err != nil {
			return err
		}
		return do(tx, g)
	})
}

// putUser writes a user that was changed, and announces it.
func (api *API) putUser(tx *store.Tx, u *store.User) error {
	if err := tx.Put(u); err != nil {
		return err
	}
	return api.announceUser(tx, u, changed)
}

// withAccount runs do on the caller's account and writes what it changed.
func (api *API) withAccount(ctx context.Context, who action.Caller, do func(tx *store.Tx, a *store.Account) error) error {
	return api.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(who.Account)
		if err != nil {
			return err
		}
		if err := do(tx, a); err != nil {
			return err
		}
		if err := tx.Put(a); err != nil {
			return err
		}
		return api.announce(tx, a.ID, "account", a.ID, a.Name, account.RootARN(a.ID), changed)
	})
}
