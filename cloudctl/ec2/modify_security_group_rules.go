package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// ModifySecurityGroupRulesInput names rules of one group and what they shall
// be; each is given whole.
type ModifySecurityGroupRulesInput struct {
	GroupId            string
	SecurityGroupRules []SecurityGroupRuleUpdate
}

// SecurityGroupRuleUpdate is one rule with its new content.
type SecurityGroupRuleUpdate struct {
	SecurityGroupRule   *SecurityGroupRuleRequest
	SecurityGroupRuleId string
}

// SecurityGroupRuleRequest is the content of a rule: traffic and one peer.
type SecurityGroupRuleRequest struct {
	CidrIpv4          *string
	Description       *string
	FromPort          *int
	IpProtocol        *string
	ReferencedGroupId *string
	ToPort            *int
}

// Done says that what was asked is done.
type Done struct{ Return bool }

var _ = action.Add(Catalog, action.Def[*API, ModifySecurityGroupRulesInput, Done]{
	Name: "ModifySecurityGroupRules",
	Doc:  "Changes rules of a security group and keeps their ids.",
	Example: ModifySecurityGroupRulesInput{GroupId: "sg-1a2b3c4d5e6f70819", SecurityGroupRules: []SecurityGroupRuleUpdate{{
		SecurityGroupRuleId: "sgr-1a2b3c4d5e6f70819",
		SecurityGroupRule:   &SecurityGroupRuleRequest{IpProtocol: ptr("tcp"), FromPort: ptr(443), ToPort: ptr(443), CidrIpv4: ptr("0.0.0.0/0")},
	}}},
	On:  onGroup(func(in *ModifySecurityGroupRulesInput) (*string, *string) { return &in.GroupId, nil }),
	Run: modifySecurityGroupRules,
})

func modifySecurityGroupRules(ctx context.Context, api *API, who action.Caller, in *ModifySecurityGroupRulesInput) (*Done, error) {
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		g, err := groupOf(tx, who.Account, &in.GroupId, nil)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, u := range in.SecurityGroupRules {
			if seen[u.SecurityGroupRuleId] {
				return invalid("The security group rule '%s' must not appear multiple times", u.SecurityGroupRuleId)
			}
			seen[u.SecurityGroupRuleId] = true
			if err := modifyRule(tx, g, u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return &Done{Return: true}, nil
}

// modifyRule writes a rule anew under its id.
func modifyRule(tx *store.Tx, g *store.Group, u SecurityGroupRuleUpdate) error {
	name, err := parse[id.Rule](u.SecurityGroupRuleId)
	if err != nil {
		return err
	}
	row, err := ruleOf(tx, g, name)
	if err != nil {
		return err
	}
	if u.SecurityGroupRule == nil {
		return lacking("SecurityGroupRule")
	}
	fresh, err := rulesOf(tx, g, row.Egress, []IpPermission{u.SecurityGroupRule.permission()})
	if err != nil {
		return err
	}
	if len(fresh) != 1 {
		return combination("A rule has one peer: a range or a group.")
	}
	r := fresh[0]
	r.ID, r.Created = row.ID, row.Created
	others, err := tx.RulesIn(g.ID)
	if err != nil {
		return err
	}
	if same := find(others, &r); same != nil && same.ID != r.ID {
		return fault.New(fault.Conflict, "InvalidPermission.Duplicate", "the specified rule %q already exists", ruleWords(&r))
	}
	return tx.Put(&r)
}

func (r *SecurityGroupRuleRequest) permission() IpPermission {
	p := IpPermission{IpProtocol: r.IpProtocol, FromPort: r.FromPort, ToPort: r.ToPort}
	if r.CidrIpv4 != nil {
		p.IpRanges = []IpRange{{CidrIp: r.CidrIpv4, Description: r.Description}}
	}
	if r.ReferencedGroupId != nil {
		p.UserIdGroupPairs = []UserIdGroupPair{{GroupId: r.ReferencedGroupId, Description: r.Description}}
	}
	return p
}
