package ec2

import (
	"context"

	"karri/shared/action"
)

// DescribeAddressesAttributeInput names addresses; all when there is none.
type DescribeAddressesAttributeInput struct {
	AllocationIds []string
	Attribute     *string // domain-name
	MaxResults    *int
	NextToken     *string
}

// DescribeAddressesAttributeOutput lists the addresses that have the attribute.
type DescribeAddressesAttributeOutput struct {
	Addresses []Nothing
	NextToken *string
}

var _ = action.Add(Catalog, action.Def[*API, DescribeAddressesAttributeInput, DescribeAddressesAttributeOutput]{
	Name:    "DescribeAddressesAttribute",
	Doc:     "Lists the addresses that have a domain name of their own: none, as names cannot be given.",
	Example: DescribeAddressesAttributeInput{Attribute: ptr("domain-name")},
	On:      action.Own[*API, DescribeAddressesAttributeInput],
	List:    &action.List{Min: 1},
	Run: func(ctx context.Context, api *API, who action.Caller, in *DescribeAddressesAttributeInput) (*DescribeAddressesAttributeOutput, error) {
		_, _, err := addressListing.page(ctx, api, who, in.AllocationIds, nil)
		return &DescribeAddressesAttributeOutput{}, err
	},
})
