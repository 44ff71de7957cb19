package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// DescribeSecurityGroupsInput narrows the list of security groups.
type DescribeSecurityGroupsInput struct {
	Filters    []action.Filter
	GroupIds   []string
	GroupNames []string // of the default VPC
	MaxResults *int
	NextToken  *string
}

// DescribeSecurityGroupsOutput is a page of security groups.
type DescribeSecurityGroupsOutput struct {
	NextToken      *string
	SecurityGroups []SecurityGroup
}

var _ = action.Add(Catalog, action.Def[*API, DescribeSecurityGroupsInput, DescribeSecurityGroupsOutput]{
	Name:    "DescribeSecurityGroups",
	Doc:     "Lists security groups with their rules.",
	Example: DescribeSecurityGroupsInput{Filters: []action.Filter{{Name: "ip-permission.cidr", Values: []string{"0.0.0.0/0"}}}},
	On:      action.Own[*API, DescribeSecurityGroupsInput],
	List:    &action.List{Filters: groupFields().names()},
	Run:     describeSecurityGroups,
})

// groupFields are the filters of security groups: their own members, and those
// of their rules in either direction.
func groupFields() fields[SecurityGroup] {
	f := fields[SecurityGroup]{
		"description": func(g SecurityGroup) []string { return is(g.Description) },
		"group-id":    func(g SecurityGroup) []string { return is(g.GroupId) },
		"group-name":  func(g SecurityGroup) []string { return is(g.GroupName) },
		"owner-id":    func(g SecurityGroup) []string { return is(g.OwnerId) },
		"vpc-id":      func(g SecurityGroup) []string { return is(g.VpcId) },
	}
	for prefix, rules := range map[string]func(SecurityGroup) []IpPermission{
		"ip-permission.":        func(g SecurityGroup) []IpPermission { return g.IpPermissions },
		"egress.ip-permission.": func(g SecurityGroup) []IpPermission { return g.IpPermissionsEgress },
	} {
		for name, values := range permissionFields {
			f[prefix+name] = func(g SecurityGroup) []string {
				var all []string
				for _, p := range rules(g) {
					all = append(all, values(p)...)
				}
				return all
			}
		}
	}
	return f
}

var permissionFields = fields[IpPermission]{
	"cidr": func(p IpPermission) []string {
		return each(p.IpRanges, func(r IpRange) string { return val(r.CidrIp) })
	},
	"from-port":      func(p IpPermission) []string { return isPort(p.FromPort) },
	"to-port":        func(p IpPermission) []string { return isPort(p.ToPort) },
	"protocol":       func(p IpPermission) []string { return isOpt(p.IpProtocol) },
	"ipv6-cidr":      func(IpPermission) []string { return nil },
	"prefix-list-id": func(IpPermission) []string { return nil },
	"group-id": func(p IpPermission) []string {
		return each(p.UserIdGroupPairs, func(u UserIdGroupPair) string { return val(u.GroupId) })
	},
	"group-name": func(p IpPermission) []string {
		return each(p.UserIdGroupPairs, func(u UserIdGroupPair) string { return val(u.GroupName) })
	},
	"user-id": func(p IpPermission) []string {
		return each(p.UserIdGroupPairs, func(u UserIdGroupPair) string { return val(u.UserId) })
	},
}

func isPort(n *int) []string {
	if n == nil {
		return nil
	}
	return isInt(*n)
}

func describeSecurityGroups(ctx context.Context, api *API, who action.Caller, in *DescribeSecurityGroupsInput) (*DescribeSecurityGroupsOutput, error) {
	if _, err := parseAll[id.Group](in.GroupIds); err != nil {
		return nil, err
	}
	all, err := api.groups(ctx, who.Account, in)
	if err != nil {
		return nil, err
	}
	all = groupFields().pick(in.Filters, all, func(g SecurityGroup) []Tag { return g.Tags })
	page, next, err := action.Page(ctx, all, func(g SecurityGroup) string { return g.GroupId })
	for n := range page {
		dropNames(page[n].IpPermissions)
		dropNames(page[n].IpPermissionsEgress)
	}
	return &DescribeSecurityGroupsOutput{SecurityGroups: page, NextToken: next}, err
}

// groups returns the groups that are named by id or by name, else all.
func (api *API) groups(ctx context.Context, account string, in *DescribeSecurityGroupsInput) ([]SecurityGroup, error) {
	all := []SecurityGroup{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.GroupsOf(account)
		if err != nil {
			return err
		}
		rules, err := tx.RulesOf(account)
		if err != nil {
			return err
		}
		tags, err := tx.TagsOf(account)
		if err != nil {
			return err
		}
		of, names := map[id.Group][]store.Rule{}, map[string]string{}
		for _, r := range rules {
			of[r.Group] = append(of[r.Group], r)
		}
		for n := range rows {
			names[string(rows[n].ID)] = rows[n].Name
		}
		for n := range rows {
			g := groupShape(&rows[n], of[rows[n].ID], tags)
			putNames(g.IpPermissions, names)
			putNames(g.IpPermissionsEgress, names)
			all = append(all, g)
		}
		all, err = namedGroups(tx, account, in, all)
		return err
	})
	return all, err
}

// namedGroups narrows to the groups whose id or name the request gives.
func namedGroups(tx *store.Tx, account string, in *DescribeSecurityGroupsInput, all []SecurityGroup) ([]SecurityGroup, error) {
	ids := in.GroupIds
	for _, name := range in.GroupNames {
		g, err := groupNamed(tx, account, name)
		if fault.KindOf(err) == fault.Missing && err != nil {
			return nil, fault.New(fault.Missing, "InvalidGroup.NotFound", "The security group '%s' does not exist", name)
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, string(g.ID))
	}
	return wanted(ids, all, func(g SecurityGroup) string { return g.GroupId }, func(name string) error {
		return fault.New(fault.Missing, "InvalidGroup.NotFound", "The security group '%s' does not exist", name)
	})
}

// putNames gives the groups that rules refer to their names, for the filters.
func putNames(permissions []IpPermission, names map[string]string) {
	for _, p := range permissions {
		for n, u := range p.UserIdGroupPairs {
			p.UserIdGroupPairs[n].GroupName = opt(names[val(u.GroupId)])
		}
	}
}

// dropNames takes the names away again: EC2 tells only ids of groups in a VPC.
func dropNames(permissions []IpPermission) {
	for _, p := range permissions {
		for n := range p.UserIdGroupPairs {
			p.UserIdGroupPairs[n].GroupName = nil
		}
	}
}
