package store

import "time"

// A ManagedPolicy is a policy of an account that has a name of its own and may
// be attached to many.
type ManagedPolicy struct {
	ID             string `gorm:"primaryKey"` // ANPA...
	Account        string
	Name           string
	Folded         string
	Path           string
	ARN            string `gorm:"column:arn"`
	Description    string
	DefaultVersion int    // the one that counts
	LastVersion    int    // the highest that there ever was
	Tags           Labels `gorm:"serializer:json"`
	Created        time.Time
	Updated        time.Time
	Creator        string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (ManagedPolicy) TableName() string { return "policies" }

// A PolicyVersion is one text of a managed policy. It never changes.
type PolicyVersion struct {
	Policy   string `gorm:"primaryKey"` // id
	Number   int    `gorm:"primaryKey"` // v1 is 1
	Account  string
	Document string
	Created  time.Time
}

// TableName names the table.
func (PolicyVersion) TableName() string { return "policy_versions" }

// An InlinePolicy is a policy that is part of a user, group or role, or that
// the cloud's administrator laid on an account.
type InlinePolicy struct {
	Holder   string `gorm:"primaryKey"` // id of the user, group or role, or the account
	Name     string `gorm:"primaryKey"`
	Account  string
	Document string
	Created  time.Time
}

// TableName names the table.
func (InlinePolicy) TableName() string { return "inline_policies" }

// A PolicyAttachment gives a managed policy to a user, group or role.
type PolicyAttachment struct {
	Holder  string `gorm:"primaryKey"` // id
	Policy  string `gorm:"primaryKey"` // ARN; also one of arn:aws:iam::aws:policy/...
	Account string // of the holder
	Created time.Time
}

// TableName names the table.
func (PolicyAttachment) TableName() string { return "policy_attachments" }

// ManagedPolicy returns a managed policy of an account by ARN.
func (t *Tx) ManagedPolicy(arn string) (*ManagedPolicy, error) {
	return one[ManagedPolicy](t.g.Where("arn = ?", arn), missing("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn))
}

// ManagedPolicies is as Users, of managed policies.
func (t *Tx) ManagedPolicies(account, prefix, after string, max int) ([]ManagedPolicy, error) {
	return many[ManagedPolicy](t.named(account, prefix, after, max), "folded")
}

// PolicyVersions returns the texts of a managed policy, by its id, the newest first.
func (t *Tx) PolicyVersions(id string) ([]PolicyVersion, error) {
	return many[PolicyVersion](t.g.Where("policy = ?", id), "number DESC")
}

// PolicyVersion returns one text of a managed policy.
func (t *Tx) PolicyVersion(id string, number int) (*PolicyVersion, error) {
	return one[PolicyVersion](t.g.Where("policy = ? AND number = ?", id, number),
		missing("NoSuchEntity", "Policy version v%d does not exist.", number))
}

// InlinePolicies returns the inline policies of a holder by name.
func (t *Tx) InlinePolicies(holder string) ([]InlinePolicy, error) {
	return many[InlinePolicy](t.g.Where("holder = ?", holder), "name")
}

// InlinePolicy returns an inline policy of a holder.
func (t *Tx) InlinePolicy(holder, name string) (*InlinePolicy, error) {
	return one[InlinePolicy](t.g.Where("holder = ? AND name = ?", holder, name),
		missing("NoSuchEntity", "The policy with name %s cannot be found.", name))
}

// AttachedTo returns what is attached to a holder, by ARN of the policy.
func (t *Tx) AttachedTo(holder string) ([]PolicyAttachment, error) {
	return many[PolicyAttachment](t.g.Where("holder = ?", holder), "policy")
}

// HoldersOf returns to whom of an account a managed policy is attached.
func (t *Tx) HoldersOf(account, arn string) ([]PolicyAttachment, error) {
	return many[PolicyAttachment](t.owned(account).Where("policy = ?", arn), "holder")
}
