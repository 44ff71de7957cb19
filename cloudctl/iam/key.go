package iam

import (
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// maxKeys is how many access keys a user, or an account itself, may have.
const maxKeys = 2

// AccessKey is an access key as it is shown once, when it is made.
type AccessKey struct {
	UserName        string
	AccessKeyId     string
	Status          string
	SecretAccessKey string
	CreateDate      time.Time
}

// AccessKeyMetadata is what is shown of an access key later.
type AccessKeyMetadata struct {
	UserName    string
	AccessKeyId string
	Status      string
	CreateDate  time.Time
}

// AccessKeyLastUsed says when a key was last used, about.
type AccessKeyLastUsed struct {
	LastUsedDate *time.Time
	ServiceName  string
	Region       string
}

// status is the word for a credential that is good or disabled.
func status(active bool) string {
	if active {
		return "Active"
	}
	return "Inactive"
}

// idName returns the id and name of a user; of none for the account's root.
func idName(u *store.User) (id, name string) {
	if u == nil {
		return "", ""
	}
	return u.ID, u.Name
}

// keyOf returns an access key of a user, or of who calls.
func keyOf(tx *store.Tx, who action.Caller, user *string, key string) (*store.AccessKey, error) {
	u, err := userOr(tx, who, user)
	if err != nil {
		return nil, err
	}
	id, _ := idName(u)
	k, err := tx.AccessKey(key)
	if fault.KindOf(err) == fault.Missing || err == nil && (k.Account != who.Account || k.User != id) {
		return nil, fault.New(fault.Missing, "NoSuchEntity", "The Access Key with id %s cannot be found.", key)
	}
	return k, err
}
