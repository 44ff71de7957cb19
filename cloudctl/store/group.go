package store

import (
	"time"

	"karri/shared/id"
)

// A Group is a security group.
type Group struct {
	ID          id.Group `gorm:"primaryKey"`
	Account     string
	VPC         id.VPC
	Name        string // unique in the VPC
	Description string
	Created     time.Time
	Creator     string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (Group) TableName() string { return "security_groups" }

// A Rule allows one kind of traffic from or to one peer: CIDR or Peer is set.
type Rule struct {
	ID          id.Rule `gorm:"primaryKey"`
	Account     string
	Group       id.Group `gorm:"column:security_group"`
	Egress      bool
	Protocol    string // tcp, udp, icmp, a number, or -1 for all
	From        int    `gorm:"column:from_port"` // or ICMP type; -1: any
	To          int    `gorm:"column:to_port"`   // or ICMP code; -1: any
	CIDR        string `gorm:"column:cidr"`
	Peer        id.Group
	Description string
	Created     time.Time
}

// TableName names the table.
func (Rule) TableName() string { return "security_group_rules" }

// Group returns a security group by id.
func (t *Tx) Group(account string, group id.Group) (*Group, error) {
	return one[Group](t.owned(account).Where("id = ?", group),
		missing("InvalidGroup.NotFound", "The security group '%s' does not exist", group))
}

// GroupNamed returns a security group of a VPC by name.
func (t *Tx) GroupNamed(account string, vpc id.VPC, name string) (*Group, error) {
	return one[Group](t.owned(account).Where("vpc = ? AND name = ?", vpc, name),
		missing("InvalidGroup.NotFound", "The security group '%s' does not exist in VPC '%s'", name, vpc))
}

// GroupsOf returns the security groups of an account.
func (t *Tx) GroupsOf(account string) ([]Group, error) {
	return many[Group](t.owned(account), "created, id")
}

// Rule returns a rule by id.
func (t *Tx) Rule(account string, rule id.Rule) (*Rule, error) {
	return one[Rule](t.owned(account).Where("id = ?", rule),
		missing("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", rule))
}

// RulesOf returns the rules of all security groups of an account.
func (t *Tx) RulesOf(account string) ([]Rule, error) {
	return many[Rule](t.owned(account), "created, id")
}

// RulesIn returns the rules of one security group.
func (t *Tx) RulesIn(group id.Group) ([]Rule, error) {
	return many[Rule](t.g.Where("security_group = ?", group), "created, id")
}
