package iam

import (
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// User is a user as answers show it.
type User struct {
	Path                string
	UserName            string
	UserId              string
	Arn                 string
	CreateDate          time.Time
	PasswordLastUsed    *time.Time
	PermissionsBoundary *AttachedPermissionsBoundary
	Tags                []Tag
}

// AttachedPermissionsBoundary names the policy that bounds what a user or role may.
type AttachedPermissionsBoundary struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

func boundary(arn string) *AttachedPermissionsBoundary {
	if arn == "" {
		return nil
	}
	return &AttachedPermissionsBoundary{PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: arn}
}

// briefUser is a user as lists show it.
func briefUser(u *store.User) User {
	return User{Path: u.Path, UserName: u.Name, UserId: u.ID, Arn: u.ARN(), CreateDate: u.Created}
}

// fullUser is a user with all that is known of it.
func fullUser(u *store.User) User {
	out := briefUser(u)
	out.PermissionsBoundary, out.Tags = boundary(u.Boundary), tagList(u.Tags)
	return out
}

// rootUser is the account itself as a user.
func rootUser(a *store.Account) User {
	return User{Path: "/", UserName: a.Name, UserId: a.ID, Arn: "arn:aws:iam::" + a.ID + ":root", CreateDate: a.Created}
}

// user notes the user of that name, and the one that calls when there is none.
func (t *things) user(name *string) error {
	u, err := userOr(t.tx, t.who, name)
	switch {
	case err == nil && u == nil:
		t.add("arn:aws:iam::"+t.who.Account+":root", nil)
	case err == nil:
		t.add(u.ARN(), u.Tags)
		onBoundary(&t.all[len(t.all)-1], u.Boundary)
	case fault.KindOf(err) == fault.Missing && name != nil:
		t.add(arn(t.who.Account, "user", "/", *name), nil)
	default:
		return err
	}
	return nil
}

// onUser is the On of an action on a named user.
func onUser[In any](name func(in *In) string) func(t *things, in *In) error {
	return func(t *things, in *In) error { return t.user(ptr(name(in))) }
}

// userOr returns the user of that name, or the one that calls when no name is
// given: nil for the account's root.
func userOr(tx *store.Tx, who action.Caller, name *string) (*store.User, error) {
	if name != nil && *name != "" {
		return tx.User(who.Account, *name)
	}
	if who.UserID == who.Account {
		return nil, nil
	}
	u, err := tx.UserByID(who.UserID)
	if fault.KindOf(err) == fault.Missing {
		return nil, validation("Must specify userName when calling with non-User credentials")
	}
	return u, err
}

func (api *API) announceUser(tx *store.Tx, u *store.User, what string) error {
	return api.announce(tx, u.Account, "user", u.ID, u.Name, u.ARN(), what)
}
