package store

import (
	"fmt"
	"slices"
	"time"
)

// A counted thing is a table, what of its rows is summed up, and which of them
// count.
type counted struct{ table, sum, where string }

// quotas says how each quota, by its condition key, is counted. Nothing keeps a
// counter: the rows are what there is.
var quotas = map[string]counted{
	"ec2:quota-vminstancenumber":       {"instances", "1", "want <> 'gone'"},
	"ec2:quota-vminstanceactivenumber": {"instances", "1", "want = 'running'"},
	"ec2:quota-cputotalsize":           {"instances", "vcpus", "want = 'running'"},
	"ec2:quota-memorytotalsize":        {"instances", "memory_mib", "want = 'running'"},
	"ec2:quota-disktotalsize":          {"instances", "disk_gib", "want <> 'gone'"},
	"ec2:quota-volumenumber":           {"volumes", "1", ""},
	"ec2:quota-volumetotalsize":        {"volumes", "size_gib", ""},
	"ec2:quota-snapshotnumber":         {"snapshots", "1", ""},
	"ec2:quota-imagenumber":            {"images", "1", "want <> 'gone'"},
	"ec2:quota-addressnumber":          {"addresses", "1", "NOT auto"},
	"ec2:quota-securitygroupnumber":    {"security_groups", "1", ""},
	"ec2:quota-keypairnumber":          {"key_pairs", "1", ""},
	"ec2:quota-vpcnumber":              {"vpcs", "1", ""},
	"ec2:quota-subnetnumber":           {"subnets", "1", ""},
	"ec2:quota-networkinterfacenumber": {"interfaces", "1", ""},

	"iam:quota-usernumber":                  {"users", "1", ""},
	"iam:quota-groupnumber":                 {"user_groups", "1", ""},
	"iam:quota-rolenumber":                  {"roles", "1", ""},
	"iam:quota-instanceprofilenumber":       {"instance_profiles", "1", ""},
	"iam:quota-policynumber":                {"policies", "1", ""},
	"iam:quota-accesskeynumber":             {"access_keys", "1", ""},
	"iam:quota-mfadevicenumber":             {"mfa_devices", "1", ""},
	"iam:quota-signingcertificatenumber":    {"signing_certificates", "1", ""},
	"iam:quota-servercertificatenumber":     {"server_certificates", "1", ""},
	"iam:quota-openidconnectprovidernumber": {"oidc_providers", "1", ""},
}

// Counts reports whether the store counts what a quota is about.
func Counts(quota string) bool { return quotas[quota].table != "" }

// Held counts what an account has of what a quota is about; a creator narrows
// it to what that one made.
func (t *Tx) Held(quota, account, creator string) (int64, error) {
	c, ok := quotas[quota]
	if !ok {
		return 0, fmt.Errorf("count %s: nothing says how", quota)
	}
	q := t.g.Table(c.table).Select("COALESCE(SUM("+c.sum+"), 0)").Where("account = ?", account)
	if c.where != "" {
		q = q.Where(c.where)
	}
	if creator != "" {
		q = q.Where("creator = ?", creator)
	}
	var n int64
	if err := q.Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("count %s: %w", quota, err)
	}
	return n, nil
}

// PoliciesOn returns the texts of the policies of holders (ids of users, groups
// or roles, or an account), by their names: inline ones, and the versions that
// count of the managed ones that are attached.
func (t *Tx) PoliciesOn(holders ...string) ([]InlinePolicy, error) {
	all, err := many[InlinePolicy](t.g.Where("holder IN ?", holders), "holder, name")
	if err != nil {
		return nil, err
	}
	var attached []InlinePolicy
	err = t.g.Raw(`SELECT a.holder, p.name, p.account, v.document, v.created FROM policy_attachments a
		JOIN policies p ON p.arn = a.policy JOIN policy_versions v ON v.policy = p.id AND v.number = p.default_version
		WHERE a.holder IN ? ORDER BY a.holder, p.name`, holders).Scan(&attached).Error
	if err != nil {
		return nil, fmt.Errorf("list attached policies: %w", err)
	}
	return slices.Concat(all, attached), nil
}

// AccountsWithPolicies returns the accounts that have a policy laid on them or
// a share of walrus that was set.
func (t *Tx) AccountsWithPolicies() ([]string, error) {
	var all []string
	err := t.g.Raw(`SELECT holder FROM inline_policies WHERE holder = account UNION SELECT account FROM shares ORDER BY 1`).Scan(&all).Error
	return all, err
}

// A Share is what walrus was last told that an account may have in buckets. An
// account that has none was never bounded.
type Share struct {
	Account string `gorm:"primaryKey"`
	Told    string // JSON
}

// TableName names the table.
func (Share) TableName() string { return "shares" }

// Share returns what walrus was told last; "" is nothing yet.
func (t *Tx) Share(account string) (string, error) {
	rows, err := many[Share](t.g.Where("account = ?", account), "account")
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0].Told, nil
}

// A QuotaRequest is a wish to have more of something, which the administrator
// approves or denies.
type QuotaRequest struct {
	ID        string `gorm:"primaryKey"`
	Account   string
	Service   string // ec2
	Code      string // L-1216C47A
	Desired   int64
	Status    string // PENDING, APPROVED, DENIED, CASE_CLOSED
	Requester string // JSON: who
	DecidedBy string // ARN
	Created   time.Time
	Updated   time.Time
}

// TableName names the table.
func (QuotaRequest) TableName() string { return "quota_requests" }

// QuotaRequest returns a request by id.
func (t *Tx) QuotaRequest(account, id string) (*QuotaRequest, error) {
	return one[QuotaRequest](t.owned(account).Where("id = ?", id), missing("NoSuchResourceException", "There is no quota request %s.", id))
}

// QuotaRequests returns the requests of an account, the oldest first.
func (t *Tx) QuotaRequests(account string) ([]QuotaRequest, error) {
	return many[QuotaRequest](t.owned(account), "created, id")
}
