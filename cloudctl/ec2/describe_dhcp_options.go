package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeDhcpOptionsInput narrows the list of DHCP options.
type DescribeDhcpOptionsInput struct {
	DhcpOptionsIds []string
	Filters        []action.Filter
	MaxResults     *int
	NextToken      *string
}

// DescribeDhcpOptionsOutput is a page of DHCP options.
type DescribeDhcpOptionsOutput struct {
	DhcpOptions []DhcpOptions
	NextToken   *string
}

// DhcpOptions is what the DHCP service of a VPC tells its hosts.
type DhcpOptions struct {
	DhcpConfigurations []DhcpConfiguration
	DhcpOptionsId      string
	OwnerId            string
	Tags               []Tag
}

// DhcpConfiguration is one option with its values.
type DhcpConfiguration struct {
	Key    string
	Values []TextAttribute
}

var dhcpFields = fields[DhcpOptions]{
	"dhcp-options-id": func(d DhcpOptions) []string { return is(d.DhcpOptionsId) },
	"owner-id":        func(d DhcpOptions) []string { return is(d.OwnerId) },
	"key": func(d DhcpOptions) []string {
		return each(d.DhcpConfigurations, func(c DhcpConfiguration) string { return c.Key })
	},
	"value": func(d DhcpOptions) []string {
		return each(d.DhcpConfigurations, func(c DhcpConfiguration) string { return val(c.Values[0].Value) })
	},
}

var _ = action.Add(Catalog, action.Def[*API, DescribeDhcpOptionsInput, DescribeDhcpOptionsOutput]{
	Name:    "DescribeDhcpOptions",
	Doc:     "Lists what the DHCP services of VPCs tell their hosts.",
	Example: DescribeDhcpOptionsInput{Filters: []action.Filter{{Name: "key", Values: []string{"domain-name"}}}},
	On:      action.Own[*API, DescribeDhcpOptionsInput],
	List:    &action.List{Filters: dhcpFields.names()},
	Run:     describeDhcpOptions,
})

var dhcpListing = listing[id.DHCPOptions, DhcpOptions]{
	name: func(d DhcpOptions) string { return d.DhcpOptionsId }, tags: func(d DhcpOptions) []Tag { return d.Tags }, fields: dhcpFields,
	missing: "InvalidDhcpOptionID.NotFound", what: "dhcpOption", rows: dhcpRows,
}

func describeDhcpOptions(ctx context.Context, api *API, who action.Caller, in *DescribeDhcpOptionsInput) (*DescribeDhcpOptionsOutput, error) {
	page, next, err := dhcpListing.page(ctx, api, who, in.DhcpOptionsIds, in.Filters)
	return &DescribeDhcpOptionsOutput{DhcpOptions: page, NextToken: next}, err
}

func dhcpRows(tx *store.Tx, l *looker) ([]DhcpOptions, error) {
	vpcs, err := tx.VPCsOf(l.account)
	all := []DhcpOptions{}
	for _, v := range vpcs {
		option := func(key, value string) DhcpConfiguration {
			return DhcpConfiguration{Key: key, Values: []TextAttribute{{ptr(value)}}}
		}
		all = append(all, DhcpOptions{
			DhcpConfigurations: []DhcpConfiguration{option("domain-name", Domain(l.api.Region)), option("domain-name-servers", "AmazonProvidedDNS")},
			DhcpOptionsId:      string(v.DHCP), OwnerId: v.Account, Tags: tagSet(l.tags[string(v.DHCP)]),
		})
	}
	return all, err
}
