package store

import "time"

// AccountState says whether the keys of an account are good.
type AccountState string

const (
	AccountActive    AccountState = "active"
	AccountSuspended AccountState = "suspended" // its keys are refused; what runs goes on
	AccountClosing   AccountState = "closing"   // all that it owns is being ended
)

// An Account owns resources; none sees another's.
type Account struct {
	ID      string `gorm:"primaryKey"` // twelve digits
	Name    string
	State   AccountState
	Admin   bool // may call the administrator's actions
	Created time.Time
}

// TableName names the table.
func (Account) TableName() string { return "accounts" }

// An AccessKey signs the requests of an account.
type AccessKey struct {
	ID      string `gorm:"primaryKey"` // AKIA...
	Account string
	Sealed  []byte // the secret, encrypted under the cloud's own key
	Active  bool
	Created time.Time
}

// TableName names the table.
func (AccessKey) TableName() string { return "access_keys" }

// Account returns the account with the given id.
func (t *Tx) Account(id string) (*Account, error) {
	return one[Account](t.g.Where("id = ?", id), missing("NoSuchEntity", "There is no account %s.", id))
}

// AccountNamed returns the account of that name.
func (t *Tx) AccountNamed(name string) (*Account, error) {
	return one[Account](t.g.Where("name = ?", name), missing("NoSuchEntity", "There is no account named %s.", name))
}

// Accounts returns all accounts by name.
func (t *Tx) Accounts() ([]Account, error) { return many[Account](t.g, "name") }

// AccessKey returns the access key with the given id.
func (t *Tx) AccessKey(id string) (*AccessKey, error) {
	return one[AccessKey](t.g.Where("id = ?", id), missing("NoSuchEntity", "There is no access key %s.", id))
}

// AccessKeysOf returns the access keys of an account.
func (t *Tx) AccessKeysOf(account string) ([]AccessKey, error) {
	return many[AccessKey](t.owned(account), "id")
}
