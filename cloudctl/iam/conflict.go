package iam

import (
	"karri/cloudctl/store"
	"karri/shared/fault"
)

// conflict is the fault of a thing that cannot go while it has others.
func conflict(what string) *fault.Fault {
	return fault.New(fault.Conflict, "DeleteConflict", "Cannot delete entity, must %s first.", what)
}

// some reports whether rows has any.
func some[R any](rows []R, err error) (bool, error) { return len(rows) > 0, err }

// mayGo refuses a user that still has something.
func mayGo(tx *store.Tx, u *store.User) error {
	for _, hold := range []struct {
		what string
		has  func() (bool, error)
	}{
		{"delete access keys", func() (bool, error) { return some(tx.AccessKeysOfUser(u.Account, u.ID)) }},
		{"remove users from group", func() (bool, error) { return some(tx.GroupsOfUser(u.ID)) }},
		{"detach all policies", func() (bool, error) { return some(tx.AttachedTo(u.ID)) }},
		{"delete policies", func() (bool, error) { return some(tx.InlinePolicies(u.ID)) }},
		{"delete MFA device", func() (bool, error) { return some(tx.MFADevicesOf(u.ID)) }},
		{"delete signing certificates", func() (bool, error) { return some(tx.SigningCertificatesOf(u.Account, u.ID)) }},
		{"delete login profile", func() (bool, error) {
			_, err := tx.LoginProfile(u.ID)
			if fault.KindOf(err) == fault.Missing {
				return false, nil
			}
			return err == nil, err
		}},
	} {
		has, err := hold.has()
		if err != nil {
			return err
		}
		if has {
			return conflict(hold.what)
		}
	}
	return nil
}
