package sts

import (
	"context"
	"time"

	"karri/cloudctl/mfa"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/identity"
)

// A factor is what a request shows of a second factor.
type factor struct{ serial, code *string }

var badFactor = fault.New(fault.Denied, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")

// look checks the code of a request, if it holds one, and returns when it was
// shown; nil without a code. The code stays good.
func (f factor) look(ctx context.Context, api *API, who action.Caller) (*time.Time, error) {
	return f.shown(api, who, func(do func(tx *store.Tx) error) error { return api.Store.View(ctx, do) }, func(*store.Tx, *store.MFADevice) error { return nil })
}

// take is look, and the code counts no more.
func (f factor) take(ctx context.Context, api *API, who action.Caller) (*time.Time, error) {
	return f.shown(api, who, func(do func(tx *store.Tx) error) error { return api.Store.InTx(ctx, do) }, func(tx *store.Tx, d *store.MFADevice) error { return tx.Put(d) })
}

// shown checks the code in a transaction; only users and the account itself
// have devices.
func (f factor) shown(api *API, who action.Caller, within func(func(*store.Tx) error) error, keep func(*store.Tx, *store.MFADevice) error) (*time.Time, error) {
	switch {
	case f.serial == nil && f.code == nil:
		return nil, nil
	case f.serial == nil || f.code == nil:
		return nil, validation("The SerialNumber and the TokenCode of an MFA device come together.")
	case who.Rights == nil || who.Rights.Identity.Expires != nil:
		return nil, fault.New(fault.Denied, "AccessDenied", "MultiFactorAuthentication failed: the code of a device is shown with the long-lived credentials of its user.")
	}
	now := api.Clock().UTC().Truncate(time.Second)
	err := within(func(tx *store.Tx) error {
		d, err := tx.MFADevice(*f.serial)
		if fault.KindOf(err) == fault.Missing && err != nil || err == nil && (d.Holder != who.UserID || d.Account != who.Account || d.Enabled == nil) {
			return fault.New(fault.Denied, "AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
		}
		if err != nil {
			return err
		}
		ok, err := mfa.Take(api.Vault, d, *f.code, now)
		switch {
		case err != nil:
			return err
		case !ok:
			return badFactor
		}
		return keep(tx, d)
	})
	if err != nil {
		return nil, err
	}
	return &now, nil
}

// longLived refuses a caller whose own credentials are those of a session.
func longLived(who action.Caller, name string) error {
	if who.Rights != nil && (who.Rights.Identity.Kind == identity.User || who.Rights.Identity.Kind == identity.Root) && who.Rights.Identity.Expires == nil {
		return nil
	}
	return fault.New(fault.Denied, "AccessDenied", "Cannot call %s with session credentials", name)
}

// lifeOf returns how long a session of a user's own may last: the account's
// root has an hour at most.
func lifeOf(who action.Caller, asked *int) time.Duration {
	life := 12 * time.Hour
	if asked != nil {
		life = time.Duration(*asked) * time.Second
	}
	if who.Rights.Identity.Kind == identity.Root {
		life = min(life, time.Hour)
	}
	return life
}
