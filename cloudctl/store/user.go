package store

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Labels are the tags of a thing of IAM, ordered by key.
type Labels []Label

// MarshalJSON writes no labels as an empty list, since the column is never null.
func (l Labels) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]Label{}, l...))
}

// A Label is one of them.
type Label struct{ Key, Value string }

// Set gives a label its value.
func (l *Labels) Set(key, value string) {
	i, there := slices.BinarySearchFunc(*l, key, func(a Label, key string) int { return cmp.Compare(a.Key, key) })
	if !there {
		*l = slices.Insert(*l, i, Label{Key: key})
	}
	(*l)[i].Value = value
}

// Drop takes a label away; one that is not there is fine.
func (l *Labels) Drop(key string) {
	*l = slices.DeleteFunc(*l, func(a Label) bool { return a.Key == key })
}

// A User is a person or a program of an account.
type User struct {
	ID       string `gorm:"primaryKey"` // AIDA...
	Account  string
	Name     string
	Folded   string // Fold(Name): names that differ by case only are the same
	Path     string // "/" or "/a/b/"
	Boundary string // ARN of a managed policy; "": none
	Tags     Labels `gorm:"serializer:json"`
	Created  time.Time
	Creator  string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (User) TableName() string { return "users" }

// ARN is the user's name in policies.
func (u *User) ARN() string { return "arn:aws:iam::" + u.Account + ":user" + u.Path + u.Name }

// A UserGroup is a group of users.
type UserGroup struct {
	ID      string `gorm:"primaryKey"` // AGPA...
	Account string
	Name    string
	Folded  string
	Path    string
	Created time.Time
	Creator string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (UserGroup) TableName() string { return "user_groups" }

// ARN is the group's name in policies.
func (g *UserGroup) ARN() string { return "arn:aws:iam::" + g.Account + ":group" + g.Path + g.Name }

// A Member is a user in a group.
type Member struct {
	User      string `gorm:"primaryKey"` // ids
	UserGroup string `gorm:"primaryKey"`
	Account   string
}

// TableName names the table.
func (Member) TableName() string { return "members" }

// Fold returns the form in which names of IAM are compared.
func Fold(name string) string { return strings.ToLower(name) }

// User returns a user of an account by name.
func (t *Tx) User(account, name string) (*User, error) {
	return one[User](t.g.Where("account = ? AND folded = ?", account, Fold(name)),
		missing("NoSuchEntity", "The user with name %s cannot be found.", name))
}

// UserByID returns a user by its id.
func (t *Tx) UserByID(id string) (*User, error) {
	return one[User](t.g.Where("id = ?", id), missing("NoSuchEntity", "The user with the id %s cannot be found.", id))
}

// Users returns up to max users of an account by name, after the given name,
// whose path begins with prefix. A max of 0 is no bound.
func (t *Tx) Users(account, prefix, after string, max int) ([]User, error) {
	return many[User](t.named(account, prefix, after, max), "folded")
}

// UserGroup returns a group of an account by name.
func (t *Tx) UserGroup(account, name string) (*UserGroup, error) {
	return one[UserGroup](t.g.Where("account = ? AND folded = ?", account, Fold(name)),
		missing("NoSuchEntity", "The group with name %s cannot be found.", name))
}

// UserGroups is as Users, of groups.
func (t *Tx) UserGroups(account, prefix, after string, max int) ([]UserGroup, error) {
	return many[UserGroup](t.named(account, prefix, after, max), "folded")
}

// GroupsOfUser returns the groups that a user, by its id, is in.
func (t *Tx) GroupsOfUser(id string) ([]UserGroup, error) {
	return many[UserGroup](t.g.Where("id IN (SELECT user_group FROM members WHERE user = ?)", id), "folded")
}

// UsersOfGroup returns the users in a group, by its id.
func (t *Tx) UsersOfGroup(id string) ([]User, error) {
	return many[User](t.g.Where("id IN (SELECT user FROM members WHERE user_group = ?)", id), "folded")
}

// AccessKeysOfUser returns the access keys of a user by its id; user "" asks
// for those of the account itself.
func (t *Tx) AccessKeysOfUser(account, user string) ([]AccessKey, error) {
	return many[AccessKey](t.g.Where("account = ? AND user = ?", account, user), "created, id")
}
