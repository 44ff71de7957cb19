package store

import (
	"time"

	"karri/shared/id"
)

// A Key is the public half of a key pair, which instances admit over ssh. The
// private half of one made here was answered once and never stored.
type Key struct {
	ID          id.Key `gorm:"primaryKey"`
	Account     string
	Name        string // unique in the account
	Type        string // rsa or ed25519
	Public      string // authorized_keys form
	Fingerprint string
	Created     time.Time
	Creator     string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (Key) TableName() string { return "key_pairs" }

// Key returns a key pair by id.
func (t *Tx) Key(account string, key id.Key) (*Key, error) {
	return one[Key](t.owned(account).Where("id = ?", key),
		missing("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", key))
}

// KeyNamed returns a key pair by name.
func (t *Tx) KeyNamed(account, name string) (*Key, error) {
	return one[Key](t.owned(account).Where("name = ?", name),
		missing("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name))
}

// KeysOf returns the key pairs of an account.
func (t *Tx) KeysOf(account string) ([]Key, error) { return many[Key](t.owned(account), "id") }
