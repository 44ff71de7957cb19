package ec2

import (
	"context"
	"fmt"
	"net/netip"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeSubnetsInput narrows the list of subnets.
type DescribeSubnetsInput struct {
	Filters    []action.Filter
	MaxResults *int
	NextToken  *string
	SubnetIds  []string
}

// DescribeSubnetsOutput is a page of subnets.
type DescribeSubnetsOutput struct {
	NextToken *string
	Subnets   []Subnet
}

// Subnet is the part of a VPC that lies in one zone.
type Subnet struct {
	AssignIpv6AddressOnCreation   bool
	AvailabilityZone              string
	AvailabilityZoneId            string
	AvailableIpAddressCount       int
	CidrBlock                     string
	DefaultForAz                  bool
	EnableDns64                   bool
	Ipv6CidrBlockAssociationSet   []Nothing
	Ipv6Native                    bool
	MapCustomerOwnedIpOnLaunch    bool
	MapPublicIpOnLaunch           bool
	OwnerId                       string
	PrivateDnsNameOptionsOnLaunch PrivateDnsNameOptionsOnLaunch
	State                         string
	SubnetArn                     string
	SubnetId                      string
	Tags                          []Tag
	VpcId                         string
}

// PrivateDnsNameOptionsOnLaunch says that hosts are named after their addresses.
type PrivateDnsNameOptionsOnLaunch struct {
	EnableResourceNameDnsAAAARecord bool
	EnableResourceNameDnsARecord    bool
	HostnameType                    string
}

var subnetFields = fields[Subnet]{
	"availability-zone":          func(s Subnet) []string { return is(s.AvailabilityZone) },
	"availabilityZone":           func(s Subnet) []string { return is(s.AvailabilityZone) },
	"availability-zone-id":       func(s Subnet) []string { return is(s.AvailabilityZoneId) },
	"availabilityZoneId":         func(s Subnet) []string { return is(s.AvailabilityZoneId) },
	"available-ip-address-count": func(s Subnet) []string { return isInt(s.AvailableIpAddressCount) },
	"cidr":                       func(s Subnet) []string { return is(s.CidrBlock) },
	"cidr-block":                 func(s Subnet) []string { return is(s.CidrBlock) },
	"cidrBlock":                  func(s Subnet) []string { return is(s.CidrBlock) },
	"default-for-az":             func(s Subnet) []string { return isBool(s.DefaultForAz) },
	"defaultForAz":               func(s Subnet) []string { return isBool(s.DefaultForAz) },
	"ipv6-cidr-block-association.ipv6-cidr-block": func(Subnet) []string { return nil },
	"ipv6-native":             func(s Subnet) []string { return isBool(s.Ipv6Native) },
	"map-public-ip-on-launch": func(s Subnet) []string { return isBool(s.MapPublicIpOnLaunch) },
	"outpost-arn":             func(Subnet) []string { return nil },
	"owner-id":                func(s Subnet) []string { return is(s.OwnerId) },
	"state":                   func(s Subnet) []string { return is(s.State) },
	"subnet-arn":              func(s Subnet) []string { return is(s.SubnetArn) },
	"subnet-id":               func(s Subnet) []string { return is(s.SubnetId) },
	"vpc-id":                  func(s Subnet) []string { return is(s.VpcId) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeSubnetsInput, DescribeSubnetsOutput]{
	Name:    "DescribeSubnets",
	Doc:     "Lists subnets.",
	Example: DescribeSubnetsInput{Filters: []action.Filter{{Name: "default-for-az", Values: []string{"true"}}}},
	On:      action.Own[*API, DescribeSubnetsInput],
	List:    &action.List{Filters: subnetFields.names()},
	Run:     describeSubnets,
})

var subnetListing = listing[id.Subnet, Subnet]{
	name: func(s Subnet) string { return s.SubnetId }, tags: func(s Subnet) []Tag { return s.Tags }, fields: subnetFields,
	missing: "InvalidSubnetID.NotFound", what: "subnet", rows: subnetRows,
}

func describeSubnets(ctx context.Context, api *API, who action.Caller, in *DescribeSubnetsInput) (*DescribeSubnetsOutput, error) {
	page, next, err := subnetListing.page(ctx, api, who, in.SubnetIds, in.Filters)
	return &DescribeSubnetsOutput{Subnets: page, NextToken: next}, err
}

func subnetRows(tx *store.Tx, l *looker) ([]Subnet, error) {
	rows, err := tx.SubnetsOf(l.account)
	if err != nil {
		return nil, err
	}
	enis, err := tx.InterfacesOf(l.account)
	if err != nil {
		return nil, err
	}
	taken := map[id.Subnet]int{}
	for _, e := range enis {
		taken[e.Subnet]++
	}
	all := []Subnet{}
	for _, s := range rows {
		p, err := netip.ParsePrefix(s.CIDR)
		if err != nil {
			return nil, fmt.Errorf("the range of %s: %w", s.ID, err)
		}
		all = append(all, Subnet{
			AvailabilityZone: s.Zone, AvailabilityZoneId: zoneID(l.api.Region, s.Zone),
			AvailableIpAddressCount: 1<<(p.Addr().BitLen()-p.Bits()) - reserved - 1 - taken[s.ID],
			CidrBlock:               s.CIDR, DefaultForAz: s.Default, Ipv6CidrBlockAssociationSet: []Nothing{}, MapPublicIpOnLaunch: s.Public,
			OwnerId: s.Account, PrivateDnsNameOptionsOnLaunch: PrivateDnsNameOptionsOnLaunch{HostnameType: "ip-name"}, State: "available",
			SubnetArn: l.api.arn(s.Account, "subnet", string(s.ID)), SubnetId: string(s.ID), Tags: tagSet(l.tags[string(s.ID)]), VpcId: string(s.VPC),
		})
	}
	return all, nil
}
