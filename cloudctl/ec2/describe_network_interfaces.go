package ec2

import (
	"context"

	"karri/shared/action"
)

// DescribeNetworkInterfacesInput narrows the list of network interfaces.
type DescribeNetworkInterfacesInput struct {
	Filters             []action.Filter
	MaxResults          *int
	NetworkInterfaceIds []string
	NextToken           *string
}

// DescribeNetworkInterfacesOutput is a page of network interfaces.
type DescribeNetworkInterfacesOutput struct {
	NetworkInterfaces []NetworkInterface
	NextToken         *string
}

var _ = action.Add(Catalog, action.Def[*API, DescribeNetworkInterfacesInput, DescribeNetworkInterfacesOutput]{
	Name:    "DescribeNetworkInterfaces",
	Doc:     "Lists network interfaces.",
	Example: DescribeNetworkInterfacesInput{Filters: []action.Filter{{Name: "attachment.instance-id", Values: []string{"i-1a2b3c4d5e6f70819"}}}},
	On:      action.Own[*API, DescribeNetworkInterfacesInput],
	List:    &action.List{Filters: interfaceFields.names()},
	Run:     describeNetworkInterfaces,
})

func describeNetworkInterfaces(ctx context.Context, api *API, who action.Caller, in *DescribeNetworkInterfacesInput) (*DescribeNetworkInterfacesOutput, error) {
	if len(in.NetworkInterfaceIds) > 0 && in.MaxResults != nil {
		return nil, combination("The parameter networkInterfaceIdSet cannot be used with the parameter maxResults")
	}
	page, next, err := interfaceListing.page(ctx, api, who, in.NetworkInterfaceIds, in.Filters)
	return &DescribeNetworkInterfacesOutput{NetworkInterfaces: page, NextToken: next}, err
}
