package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// DescribeSecurityGroupRulesInput narrows the list of rules.
type DescribeSecurityGroupRulesInput struct {
	Filters              []action.Filter
	MaxResults           *int
	NextToken            *string
	SecurityGroupRuleIds []string
}

// DescribeSecurityGroupRulesOutput is a page of rules.
type DescribeSecurityGroupRulesOutput struct {
	NextToken          *string
	SecurityGroupRules []SecurityGroupRule
}

var ruleFields = fields[SecurityGroupRule]{
	"group-id":               func(r SecurityGroupRule) []string { return is(r.GroupId) },
	"security-group-rule-id": func(r SecurityGroupRule) []string { return is(r.SecurityGroupRuleId) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeSecurityGroupRulesInput, DescribeSecurityGroupRulesOutput]{
	Name:    "DescribeSecurityGroupRules",
	Doc:     "Lists the rules of security groups one by one.",
	Example: DescribeSecurityGroupRulesInput{Filters: []action.Filter{{Name: "group-id", Values: []string{"sg-1a2b3c4d5e6f70819"}}}},
	On:      action.Own[*API, DescribeSecurityGroupRulesInput],
	List:    &action.List{Filters: ruleFields.names()},
	Run:     describeSecurityGroupRules,
})

var ruleListing = listing[id.Rule, SecurityGroupRule]{
	name: func(r SecurityGroupRule) string { return r.SecurityGroupRuleId }, tags: func(r SecurityGroupRule) []Tag { return r.Tags },
	fields: ruleFields, missing: "InvalidSecurityGroupRuleId.NotFound", what: "security group rule", rows: ruleRows,
}

// describeSecurityGroupRules refuses the filter group-id with a group that is
// not there, as EC2 does: tools take it for a deleted group.
func describeSecurityGroupRules(ctx context.Context, api *API, who action.Caller, in *DescribeSecurityGroupRulesInput) (*DescribeSecurityGroupRulesOutput, error) {
	for _, f := range in.Filters {
		if f.Name != "group-id" {
			continue
		}
		for _, v := range f.Values {
			if err := api.groupExists(ctx, who.Account, v); err != nil {
				return nil, err
			}
		}
	}
	page, next, err := ruleListing.page(ctx, api, who, in.SecurityGroupRuleIds, in.Filters)
	return &DescribeSecurityGroupRulesOutput{SecurityGroupRules: page, NextToken: next}, err
}

// groupExists returns the fault of a text that names no group of the account;
// a pattern is none's business.
func (api *API) groupExists(ctx context.Context, account, name string) error {
	if !id.Valid[id.Group](name) {
		return nil
	}
	return api.Store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.Group(account, id.Group(name))
		if fault.KindOf(err) == fault.Missing && err != nil {
			return fault.New(fault.Missing, "InvalidGroup.NotFound", "The security group '%s' does not exist", name)
		}
		return err
	})
}

func ruleRows(tx *store.Tx, l *looker) ([]SecurityGroupRule, error) {
	groups, err := tx.GroupsOf(l.account)
	if err != nil {
		return nil, err
	}
	vpcs := map[id.Group]id.VPC{}
	for _, g := range groups {
		vpcs[g.ID] = g.VPC
	}
	rows, err := tx.RulesOf(l.account)
	all := []SecurityGroupRule{}
	for n := range rows {
		r := &rows[n]
		all = append(all, ruleShape(r, vpcs[r.Group], l.tags[string(r.ID)]))
	}
	return all, err
}
