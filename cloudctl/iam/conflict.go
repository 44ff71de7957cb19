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

// A hold is a reason why a thing may not be deleted yet.
type hold struct {
	cure string // what to do about it
	has  func() (bool, error)
}

// first returns the fault of the first hold that holds.
func first(holds []hold) error {
	for _, h := range holds {
		has, err := h.has()
		if err != nil {
			return err
		}
		if has {
			return conflict(h.cure)
		}
	}
	return nil
}

// mayGo refuses a user that still has something.
func mayGo(tx *store.Tx, u *store.User) error {
	return first([]hold{
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
	})
}

// mayGroupGo refuses a group that still has something.
func mayGroupGo(tx *store.Tx, g *store.UserGroup) error {
	return first([]hold{
		{"remove users from group", func() (bool, error) { return some(tx.UsersOfGroup(g.ID)) }},
		{"detach all policies", func() (bool, error) { return some(tx.AttachedTo(g.ID)) }},
		{"delete policies", func() (bool, error) { return some(tx.InlinePolicies(g.ID)) }},
	})
}
