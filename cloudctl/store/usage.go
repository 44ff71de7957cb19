package store

import "fmt"

// PolicyUse says how often the things of an account use a managed policy.
type PolicyUse struct {
	Attached int // to users, groups and roles
	Bounds   int // users and roles
}

// PolicyUses returns by ARN how the things of an account use managed policies;
// those that nothing uses are not in it.
func (t *Tx) PolicyUses(account string) (map[string]PolicyUse, error) {
	uses := map[string]PolicyUse{}
	for _, part := range []struct {
		table, column string
		add           func(*PolicyUse, int)
	}{
		{"policy_attachments", "policy", func(u *PolicyUse, n int) { u.Attached += n }},
		{"users", "boundary", func(u *PolicyUse, n int) { u.Bounds += n }},
		{"roles", "boundary", func(u *PolicyUse, n int) { u.Bounds += n }},
	} {
		var rows []struct {
			ARN string `gorm:"column:arn"`
			N   int
		}
		q := t.g.Table(part.table).Select(part.column+" AS arn, COUNT(*) AS n").Where("account = ? AND "+part.column+" <> ''", account).Group(part.column)
		if err := q.Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("count the uses of policies in %s: %w", part.table, err)
		}
		for _, r := range rows {
			u := uses[r.ARN]
			part.add(&u, r.N)
			uses[r.ARN] = u
		}
	}
	return uses, nil
}

// UsersBoundBy returns the users of an account that a policy bounds.
func (t *Tx) UsersBoundBy(account, arn string) ([]User, error) {
	return many[User](t.g.Where("account = ? AND boundary = ?", account, arn), "folded")
}

// RolesBoundBy returns the roles of an account that a policy bounds.
func (t *Tx) RolesBoundBy(account, arn string) ([]Role, error) {
	return many[Role](t.g.Where("account = ? AND boundary = ?", account, arn), "folded")
}

// UsersHolding returns the users of an account to which a policy is attached.
func (t *Tx) UsersHolding(account, arn string) ([]User, error) {
	return many[User](t.g.Where("account = ? AND id IN (SELECT holder FROM policy_attachments WHERE policy = ? AND account = ?)", account, arn, account), "folded")
}

// GroupsHolding returns the groups of an account to which a policy is attached.
func (t *Tx) GroupsHolding(account, arn string) ([]UserGroup, error) {
	return many[UserGroup](t.g.Where("account = ? AND id IN (SELECT holder FROM policy_attachments WHERE policy = ? AND account = ?)", account, arn, account), "folded")
}

// RolesHolding returns the roles of an account to which a policy is attached.
func (t *Tx) RolesHolding(account, arn string) ([]Role, error) {
	return many[Role](t.g.Where("account = ? AND id IN (SELECT holder FROM policy_attachments WHERE policy = ? AND account = ?)", account, arn, account), "folded")
}
