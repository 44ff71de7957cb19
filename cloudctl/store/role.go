package store

import (
	"strings"
	"time"

	"gorm.io/gorm"

	"karri/shared/fault"
)

// A Role is a set of rights that whoever its trust policy names may take for a time.
type Role struct {
	ID          string `gorm:"primaryKey"` // AROA...
	Account     string
	Name        string
	Folded      string
	Path        string
	Description string
	Trust       string // the policy of who may take it: JSON, as package principal keeps it
	MaxSession  int    // seconds
	Boundary    string // ARN of a managed policy; "": none
	Tags        Labels `gorm:"serializer:json"`
	Created     time.Time
	Used        *time.Time
	UsedRegion  string
	Creator     string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (Role) TableName() string { return "roles" }

// ARN is the role's name in policies.
func (r *Role) ARN() string { return "arn:aws:iam::" + r.Account + ":role" + r.Path + r.Name }

// An InstanceProfile carries a role to instances.
type InstanceProfile struct {
	ID      string `gorm:"primaryKey"` // AIPA...
	Account string
	Name    string
	Folded  string
	Path    string
	Role    string // id; "": none yet
	Tags    Labels `gorm:"serializer:json"`
	Created time.Time
	Creator string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (InstanceProfile) TableName() string { return "instance_profiles" }

// ARN is the profile's name.
func (p *InstanceProfile) ARN() string {
	return "arn:aws:iam::" + p.Account + ":instance-profile" + p.Path + p.Name
}

// An OIDCProvider is an issuer of web identities that an account trusts.
type OIDCProvider struct {
	ARN         string `gorm:"primaryKey;column:arn"`
	Account     string
	URL         string   `gorm:"column:url"` // without https://
	Clients     []string `gorm:"serializer:json"`
	Thumbprints []string `gorm:"serializer:json"`
	Tags        Labels   `gorm:"serializer:json"`
	Created     time.Time
	Creator     string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (OIDCProvider) TableName() string { return "oidc_providers" }

// named narrows a question to the things of an account whose path begins with
// prefix and whose names come after the given one.
func (t *Tx) named(account, prefix, after string, max int) *gorm.DB {
	q := t.g.Where("account = ? AND folded > ?", account, Fold(after))
	if prefix != "" && prefix != "/" {
		q = q.Where("substr(path, 1, ?) = ?", len(prefix), prefix)
	}
	if max > 0 {
		q = q.Limit(max)
	}
	return q
}

// Role returns a role of an account by name.
func (t *Tx) Role(account, name string) (*Role, error) {
	return one[Role](t.g.Where("account = ? AND folded = ?", account, Fold(name)),
		missing("NoSuchEntity", "The role with name %s cannot be found.", name))
}

// RoleByID returns a role by its id.
func (t *Tx) RoleByID(id string) (*Role, error) {
	return one[Role](t.g.Where("id = ?", id), missing("NoSuchEntity", "The role with the id %s cannot be found.", id))
}

// RoleByARN returns the role that an ARN names.
func (t *Tx) RoleByARN(arn string) (*Role, error) {
	none := missing("NoSuchEntity", "Role %s cannot be found.", arn)
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return nil, none
	}
	r, err := t.Role(parts[4], arn[strings.LastIndexByte(arn, '/')+1:])
	if err == nil && r.ARN() != arn {
		return nil, none
	}
	return r, err
}

// Roles is as Users, of roles.
func (t *Tx) Roles(account, prefix, after string, max int) ([]Role, error) {
	return many[Role](t.named(account, prefix, after, max), "folded")
}

// RolesByName returns the roles whose trust policies name users and roles by
// ARN, as they were kept at first.
func (t *Tx) RolesByName() ([]Role, error) {
	return many[Role](t.g.Where("trust LIKE '%arn:aws:iam::%:user/%' OR trust LIKE '%arn:aws:iam::%:role/%' OR trust LIKE '%:assumed-role/%'"), "id")
}

// InstanceProfile returns a profile of an account by name.
func (t *Tx) InstanceProfile(account, name string) (*InstanceProfile, error) {
	return one[InstanceProfile](t.g.Where("account = ? AND folded = ?", account, Fold(name)),
		missing("NoSuchEntity", "Instance Profile %s cannot be found.", name))
}

// InstanceProfileByID returns a profile by its id.
func (t *Tx) InstanceProfileByID(id string) (*InstanceProfile, error) {
	return one[InstanceProfile](t.g.Where("id = ?", id), missing("NoSuchEntity", "Instance Profile %s cannot be found.", id))
}

// InstanceProfiles is as Users, of instance profiles.
func (t *Tx) InstanceProfiles(account, prefix, after string, max int) ([]InstanceProfile, error) {
	return many[InstanceProfile](t.named(account, prefix, after, max), "folded")
}

// InstanceProfilesOfRole returns the profiles that carry a role, by its id.
func (t *Tx) InstanceProfilesOfRole(id string) ([]InstanceProfile, error) {
	return many[InstanceProfile](t.g.Where("role = ?", id), "folded")
}

// OIDCProvider returns a provider of an account by ARN.
func (t *Tx) OIDCProvider(account, arn string) (*OIDCProvider, error) {
	return one[OIDCProvider](t.g.Where("account = ? AND arn = ?", account, arn),
		missing("NoSuchEntity", "OpenIDConnect Provider %s cannot be found.", arn))
}

// OIDCProviders returns the providers of an account.
func (t *Tx) OIDCProviders(account string) ([]OIDCProvider, error) {
	return many[OIDCProvider](t.owned(account), "arn")
}

// RoleUsed notes when and where a session of a role was used; one that is gone is fine.
func (t *Tx) RoleUsed(arn, region string, at time.Time) error {
	r, err := t.RoleByARN(arn)
	if fault.KindOf(err) == fault.Missing && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	return wrap("note the use of", r, t.g.Model(r).Updates(map[string]any{"used": at, "used_region": region}).Error)
}
