package store

import (
	"fmt"
	"time"

	"karri/shared/sign"
)

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

	Alias          string // unique; "": none
	PasswordPolicy string // JSON; "": the default one
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

	User        string     // id; "": the account itself
	Used        *time.Time // about when it was last used
	UsedService string
	UsedRegion  string
	Creator     string // id of the user or role that made it; "": the account itself
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

// AccountCalled returns the account of that id, name or alias.
func (t *Tx) AccountCalled(word string) (*Account, error) {
	return one[Account](t.g.Where("id = ? OR name = ? OR alias = ? AND alias <> ''", word, word, word), missing("NoSuchEntity", "There is no account %s.", word))
}

// Accounts returns all accounts by name.
func (t *Tx) Accounts() ([]Account, error) { return many[Account](t.g, "name") }

// AccessKey returns the access key with the given id.
func (t *Tx) AccessKey(id string) (*AccessKey, error) {
	return one[AccessKey](t.g.Where("id = ?", id), missing("NoSuchEntity", "There is no access key %s.", sign.KeyName(id)))
}

// AccessKeysOf returns the access keys of an account.
func (t *Tx) AccessKeysOf(account string) ([]AccessKey, error) {
	return many[AccessKey](t.owned(account), "id")
}

// KeyUsed notes when and for what a key was used; one that is gone is fine.
func (t *Tx) KeyUsed(key, service, region string, at time.Time) error {
	return t.g.Model(&AccessKey{}).Where("id = ?", key).
		Updates(map[string]any{"used": at, "used_service": service, "used_region": region}).Error
}

// holdings are the tables of what an account must give up before it can be
// deleted, and which of their rows still count.
var holdings = []struct{ table, what, where string }{
	{"instances", "instances", "NOT freed"},
	{"images", "images", "TRUE"},
	{"volumes", "volumes", "TRUE"},
	{"snapshots", "snapshots", "TRUE"},
	{"addresses", "addresses", "TRUE"},
}

// Holdings names what an account still has beside its first network and keys:
// "2 instances", "1 volume".
func (t *Tx) Holdings(account string) ([]string, error) {
	var has []string
	for _, h := range holdings {
		var n int64
		if err := t.g.Table(h.table).Where("account = ? AND "+h.where, account).Count(&n).Error; err != nil {
			return nil, fmt.Errorf("count %s: %w", h.table, err)
		}
		if n > 0 {
			has = append(has, fmt.Sprintf("%d %s", n, h.what))
		}
	}
	return has, nil
}

// rest are the tables of what goes with an account, what refers before what is
// referred to.
var rest = []string{"attachments", "trails", "shares", "quota_requests", "profile_associations", "members", "login_profiles", "mfa_devices", "signing_certificates", "server_certificates", "oidc_providers",
	"inline_policies", "policy_attachments", "policy_versions", "policies", "instance_profiles", "roles", "user_groups", "users",
	"tags", "client_tokens", "interfaces", "instances", "security_group_rules", "security_groups",
	"route_associations", "route_tables", "internet_gateways", "subnets", "vpcs", "key_pairs", "access_keys"}

// DropAccount removes an account that has no holdings, with its network and keys.
func (t *Tx) DropAccount(a *Account) error {
	for _, table := range rest {
		if err := t.g.Exec("DELETE FROM "+table+" WHERE account = ?", a.ID).Error; err != nil {
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	return t.Drop(a)
}
