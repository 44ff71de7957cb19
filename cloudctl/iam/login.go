package iam

import (
	"context"
	"slices"
	"time"

	"karri/cloudctl/password"
	"karri/cloudctl/store"
	"karri/shared/fault"
)

// maxFormer is how many former passwords of a user are remembered: as many as
// a password policy may ask for.
const maxFormer = 24

// LoginProfile is a user's password without the password.
type LoginProfile struct {
	UserName              string
	CreateDate            time.Time
	PasswordResetRequired bool
}

func showLogin(u *store.User, p *store.LoginProfile) *LoginProfile {
	return &LoginProfile{UserName: u.Name, CreateDate: p.Created, PasswordResetRequired: p.Reset}
}

// loginOf returns the password of a user.
func loginOf(tx *store.Tx, u *store.User) (*store.LoginProfile, error) {
	p, err := tx.LoginProfile(u.ID)
	if fault.KindOf(err) == fault.Missing {
		return nil, fault.New(fault.Missing, "NoSuchEntity", "Login Profile for User %s cannot be found.", u.Name)
	}
	return p, err
}

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

// newPassword checks a new password against the rules of the account and what
// the user had before (nil: nothing), and returns its hash. It takes time, and
// is called outside of transactions that write.
func (api *API) newPassword(ctx context.Context, account, text string, had *store.LoginProfile) (string, error) {
	var rules PasswordPolicy
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(account)
		if err == nil {
			rules, err = rulesOf(a)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if why := rules.refuses(text); why != "" {
		return "", fault.New(fault.Invalid, "PasswordPolicyViolation", "Password does not conform to the account password policy: %s.", why)
	}
	if had != nil && rules.PasswordReusePrevention != nil {
		last := append([]string{had.Hash}, had.Former...)
		if slices.ContainsFunc(last[:min(len(last), *rules.PasswordReusePrevention)], func(h string) bool { return password.Matches(h, text) }) {
			return "", fault.New(fault.Invalid, "PasswordPolicyViolation", "Policy constraint violation with password reuse prevention during password change.")
		}
	}
	return password.Hash(api.random(), text)
}

// change makes hash the password in p.
func (api *API) changeLogin(tx *store.Tx, u *store.User, p *store.LoginProfile, hash string) error {
	if hash != "" {
		p.Former = append([]string{p.Hash}, p.Former...)
		p.Former = p.Former[:min(len(p.Former), maxFormer)]
		p.Hash, p.Changed = hash, api.Clock()
	}
	if err := tx.Put(p); err != nil {
		return err
	}
	return api.announceUser(tx, u, changed)
}

// sameLogin returns the password of a user again, in the transaction that
// changes it; the fault says that somebody else changed it meanwhile.
func sameLogin(tx *store.Tx, u *store.User, was *store.LoginProfile) (*store.LoginProfile, error) {
	p, err := loginOf(tx, u)
	if err == nil && p.Hash != was.Hash {
		err = fault.New(fault.Conflict, "EntityTemporarilyUnmodifiable", "Login Profile for User %s cannot be modified while login profile is being changed.", u.Name)
	}
	return p, err
}
