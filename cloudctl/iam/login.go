package iam

import (
	"karri/cloudctl/store"
	"karri/shared/fault"
)

// lastLogin notes when a user's password was last used.
func (api *API) lastLogin(tx *store.Tx, u *store.User, out *User) error {
	p, err := tx.LoginProfile(u.ID)
	if err == nil {
		out.PasswordLastUsed = p.Used
	} else if fault.KindOf(err) != fault.Missing {
		return err
	}
	return nil
}
