package ec2

import (
	"context"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeNetworkAclsInput narrows the list of network ACLs.
type DescribeNetworkAclsInput struct {
	Filters       []action.Filter
	MaxResults    *int
	NetworkAclIds []string
	NextToken     *string
}

// DescribeNetworkAclsOutput is a page of network ACLs.
type DescribeNetworkAclsOutput struct {
	NetworkAcls []NetworkAcl
	NextToken   *string
}

// NetworkAcl is the default ACL of a VPC: it lets everything pass, and cannot
// be changed.
type NetworkAcl struct {
	Associations []NetworkAclAssociation
	Entries      []NetworkAclEntry
	IsDefault    bool
	NetworkAclId string
	OwnerId      string
	Tags         []Tag
	VpcId        string
}

// NetworkAclAssociation ties an ACL to a subnet.
type NetworkAclAssociation struct {
	NetworkAclAssociationId string
	NetworkAclId            string
	SubnetId                string
}

// NetworkAclEntry is one line of an ACL.
type NetworkAclEntry struct {
	CidrBlock  string
	Egress     bool
	Protocol   string
	RuleAction string
	RuleNumber int
}

func eachEntry(value func(NetworkAclEntry) string) func(NetworkAcl) []string {
	return func(a NetworkAcl) []string { return each(a.Entries, value) }
}

var aclFields = fields[NetworkAcl]{
	"association.association-id": func(a NetworkAcl) []string {
		return each(a.Associations, func(t NetworkAclAssociation) string { return t.NetworkAclAssociationId })
	},
	"association.network-acl-id": func(a NetworkAcl) []string {
		return each(a.Associations, func(t NetworkAclAssociation) string { return t.NetworkAclId })
	},
	"association.subnet-id": func(a NetworkAcl) []string {
		return each(a.Associations, func(t NetworkAclAssociation) string { return t.SubnetId })
	},
	"default":           func(a NetworkAcl) []string { return isBool(a.IsDefault) },
	"entry.cidr":        eachEntry(func(e NetworkAclEntry) string { return e.CidrBlock }),
	"entry.egress":      eachEntry(func(e NetworkAclEntry) string { return isBool(e.Egress)[0] }),
	"entry.protocol":    eachEntry(func(e NetworkAclEntry) string { return e.Protocol }),
	"entry.rule-action": eachEntry(func(e NetworkAclEntry) string { return e.RuleAction }),
	"entry.rule-number": eachEntry(func(e NetworkAclEntry) string { return isInt(e.RuleNumber)[0] }),
	"network-acl-id":    func(a NetworkAcl) []string { return is(a.NetworkAclId) },
	"owner-id":          func(a NetworkAcl) []string { return is(a.OwnerId) },
	"vpc-id":            func(a NetworkAcl) []string { return is(a.VpcId) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeNetworkAclsInput, DescribeNetworkAclsOutput]{
	Name:    "DescribeNetworkAcls",
	Doc:     "Lists network ACLs: the default one of each VPC.",
	Example: DescribeNetworkAclsInput{Filters: []action.Filter{{Name: "default", Values: []string{"true"}}}},
	On:      action.Own[*API, DescribeNetworkAclsInput],
	List:    &action.List{Filters: aclFields.names()},
	Run:     describeNetworkAcls,
})

var aclListing = listing[id.NetworkACL, NetworkAcl]{
	name: func(a NetworkAcl) string { return a.NetworkAclId }, tags: func(a NetworkAcl) []Tag { return a.Tags }, fields: aclFields,
	missing: "InvalidNetworkAclID.NotFound", what: "networkAcl", rows: aclRows,
}

func describeNetworkAcls(ctx context.Context, api *API, who action.Caller, in *DescribeNetworkAclsInput) (*DescribeNetworkAclsOutput, error) {
	page, next, err := aclListing.page(ctx, api, who, in.NetworkAclIds, in.Filters)
	return &DescribeNetworkAclsOutput{NetworkAcls: page, NextToken: next}, err
}

// lastEntry is the number of the entry, in each direction, that refuses what
// no other lets pass.
const lastEntry = 32767

func aclRows(tx *store.Tx, l *looker) ([]NetworkAcl, error) {
	vpcs, err := tx.VPCsOf(l.account)
	if err != nil {
		return nil, err
	}
	subnets, err := tx.SubnetsOf(l.account)
	all := []NetworkAcl{}
	for _, v := range vpcs {
		out := NetworkAcl{
			Associations: []NetworkAclAssociation{}, IsDefault: true, NetworkAclId: string(v.ACL), OwnerId: v.Account,
			Tags: tagSet(l.tags[string(v.ACL)]), VpcId: string(v.ID),
		}
		for _, egress := range []bool{true, false} {
			out.Entries = append(out.Entries, NetworkAclEntry{"0.0.0.0/0", egress, "-1", "allow", 100}, NetworkAclEntry{"0.0.0.0/0", egress, "-1", "deny", lastEntry})
		}
		for _, s := range subnets {
			if s.VPC == v.ID {
				out.Associations = append(out.Associations, NetworkAclAssociation{
					NetworkAclAssociationId: "aclassoc-" + strings.TrimPrefix(string(s.ID), "subnet-"), NetworkAclId: string(v.ACL), SubnetId: string(s.ID),
				})
			}
		}
		all = append(all, out)
	}
	return all, err
}
