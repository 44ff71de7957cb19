package ec2

import (
	"context"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeVpcsInput narrows the list of VPCs.
type DescribeVpcsInput struct {
	Filters    []action.Filter
	MaxResults *int
	NextToken  *string
	VpcIds     []string
}

// DescribeVpcsOutput is a page of VPCs.
type DescribeVpcsOutput struct {
	NextToken *string
	Vpcs      []Vpc
}

// Vpc is a network of its own.
type Vpc struct {
	CidrBlock                   string
	CidrBlockAssociationSet     []VpcCidrBlockAssociation
	DhcpOptionsId               string
	InstanceTenancy             string
	Ipv6CidrBlockAssociationSet []Nothing
	IsDefault                   bool
	OwnerId                     string
	State                       string
	Tags                        []Tag
	VpcId                       string
}

// VpcCidrBlockAssociation is a range that a VPC has.
type VpcCidrBlockAssociation struct {
	AssociationId  string
	CidrBlock      string
	CidrBlockState VpcCidrBlockState
}

// VpcCidrBlockState says that the range is in use.
type VpcCidrBlockState struct{ State string }

var vpcFields = fields[Vpc]{
	"cidr":                                  func(v Vpc) []string { return is(v.CidrBlock) },
	"cidr-block":                            func(v Vpc) []string { return is(v.CidrBlock) },
	"cidrBlock":                             func(v Vpc) []string { return is(v.CidrBlock) },
	"cidr-block-association.association-id": func(v Vpc) []string { return is(v.CidrBlockAssociationSet[0].AssociationId) },
	"cidr-block-association.cidr-block":     func(v Vpc) []string { return is(v.CidrBlock) },
	"cidr-block-association.state":          func(Vpc) []string { return []string{"associated"} },
	"dhcp-options-id":                       func(v Vpc) []string { return is(v.DhcpOptionsId) },
	"dhcpOptionsId":                         func(v Vpc) []string { return is(v.DhcpOptionsId) },
	"ipv6-cidr-block-association.ipv6-cidr-block": func(Vpc) []string { return nil },
	"is-default": func(v Vpc) []string { return isBool(v.IsDefault) },
	"isDefault":  func(v Vpc) []string { return isBool(v.IsDefault) },
	"owner-id":   func(v Vpc) []string { return is(v.OwnerId) },
	"state":      func(v Vpc) []string { return is(v.State) },
	"vpc-id":     func(v Vpc) []string { return is(v.VpcId) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeVpcsInput, DescribeVpcsOutput]{
	Name:    "DescribeVpcs",
	Doc:     "Lists VPCs.",
	Example: DescribeVpcsInput{Filters: []action.Filter{{Name: "is-default", Values: []string{"true"}}}},
	On:      action.Own[*API, DescribeVpcsInput],
	List:    &action.List{Filters: vpcFields.names()},
	Run:     describeVpcs,
})

var vpcListing = listing[id.VPC, Vpc]{
	name: func(v Vpc) string { return v.VpcId }, tags: func(v Vpc) []Tag { return v.Tags }, fields: vpcFields,
	missing: "InvalidVpcID.NotFound", what: "vpc", rows: vpcRows,
}

func describeVpcs(ctx context.Context, api *API, who action.Caller, in *DescribeVpcsInput) (*DescribeVpcsOutput, error) {
	page, next, err := vpcListing.page(ctx, api, who, in.VpcIds, in.Filters)
	return &DescribeVpcsOutput{Vpcs: page, NextToken: next}, err
}

func vpcRows(tx *store.Tx, l *looker) ([]Vpc, error) {
	rows, err := tx.VPCsOf(l.account)
	all := []Vpc{}
	for _, v := range rows {
		all = append(all, Vpc{
			CidrBlock: v.CIDR, DhcpOptionsId: string(v.DHCP), InstanceTenancy: "default", Ipv6CidrBlockAssociationSet: []Nothing{},
			IsDefault: v.Default, OwnerId: v.Account, State: "available", Tags: tagSet(l.tags[string(v.ID)]), VpcId: string(v.ID),
			CidrBlockAssociationSet: []VpcCidrBlockAssociation{{
				AssociationId: "vpc-cidr-assoc-" + strings.TrimPrefix(string(v.ID), "vpc-"), CidrBlock: v.CIDR,
				CidrBlockState: VpcCidrBlockState{State: "associated"},
			}},
		})
	}
	return all, err
}
