package ec2

import (
	"context"
	"slices"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeAddressesInput narrows the list of addresses.
type DescribeAddressesInput struct {
	AllocationIds []string
	Filters       []action.Filter
	PublicIps     []string
}

// DescribeAddressesOutput lists addresses.
type DescribeAddressesOutput struct{ Addresses []Address }

// Address is a public address of the account, and what has it.
type Address struct {
	AllocationId            string
	AssociationId           *string
	Domain                  string
	InstanceId              *string
	NetworkBorderGroup      string
	NetworkInterfaceId      *string
	NetworkInterfaceOwnerId *string
	PrivateIpAddress        *string
	PublicIp                string
	PublicIpv4Pool          string
	Tags                    []Tag
}

var addressFields = fields[Address]{
	"allocation-id":              func(a Address) []string { return is(a.AllocationId) },
	"association-id":             func(a Address) []string { return isOpt(a.AssociationId) },
	"domain":                     func(a Address) []string { return is(a.Domain) },
	"instance-id":                func(a Address) []string { return isOpt(a.InstanceId) },
	"network-border-group":       func(a Address) []string { return is(a.NetworkBorderGroup) },
	"network-interface-id":       func(a Address) []string { return isOpt(a.NetworkInterfaceId) },
	"network-interface-owner-id": func(a Address) []string { return isOpt(a.NetworkInterfaceOwnerId) },
	"private-ip-address":         func(a Address) []string { return isOpt(a.PrivateIpAddress) },
	"public-ip":                  func(a Address) []string { return is(a.PublicIp) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeAddressesInput, DescribeAddressesOutput]{
	Name:    "DescribeAddresses",
	Doc:     "Lists the public addresses that the account has allocated.",
	Example: DescribeAddressesInput{Filters: []action.Filter{{Name: "domain", Values: []string{"vpc"}}}},
	On:      action.Own[*API, DescribeAddressesInput],
	List:    &action.List{Filters: addressFields.names()},
	Run:     describeAddresses,
})

var addressListing = listing[id.Allocation, Address]{
	name: func(a Address) string { return a.AllocationId }, tags: func(a Address) []Tag { return a.Tags }, fields: addressFields,
	missing: "InvalidAllocationID.NotFound", what: "allocation", rows: addressRows,
}

func describeAddresses(ctx context.Context, api *API, who action.Caller, in *DescribeAddressesInput) (*DescribeAddressesOutput, error) {
	for _, p := range in.PublicIps {
		if _, err := addressOf(p); err != nil {
			return nil, err
		}
	}
	all, _, err := addressListing.page(ctx, api, who, in.AllocationIds, nil)
	if err != nil {
		return nil, err
	}
	all, err = wanted(in.PublicIps, all, func(a Address) string { return a.PublicIp }, noAddress)
	if err != nil {
		return nil, err
	}
	return &DescribeAddressesOutput{Addresses: addressFields.pick(in.Filters, all, addressListing.tags)}, nil
}

func addressRows(tx *store.Tx, l *looker) ([]Address, error) {
	rows, err := tx.AddressesOf(l.account)
	if err != nil {
		return nil, err
	}
	enis, err := tx.InterfacesOf(l.account)
	all := []Address{}
	for _, a := range rows {
		if a.Auto {
			continue
		}
		out := Address{
			AllocationId: string(a.Allocation), AssociationId: opt(a.Association), Domain: "vpc", NetworkBorderGroup: l.api.Region,
			PublicIp: a.Address, PublicIpv4Pool: lender, Tags: tagSet(l.tags[string(a.Allocation)]),
		}
		n := slices.IndexFunc(enis, func(e store.Interface) bool { return e.ID == a.Interface })
		if n >= 0 {
			e := enis[n]
			out.InstanceId, out.NetworkInterfaceId = opt(e.Instance), opt(e.ID)
			out.NetworkInterfaceOwnerId, out.PrivateIpAddress = opt(e.Account), opt(e.Address)
		}
		all = append(all, out)
	}
	return all, err
}
