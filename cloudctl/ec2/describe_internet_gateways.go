package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeInternetGatewaysInput narrows the list of internet gateways.
type DescribeInternetGatewaysInput struct {
	Filters            []action.Filter
	InternetGatewayIds []string
	MaxResults         *int
	NextToken          *string
}

// DescribeInternetGatewaysOutput is a page of internet gateways.
type DescribeInternetGatewaysOutput struct {
	InternetGateways []InternetGateway
	NextToken        *string
}

// InternetGateway leads from a VPC to the world.
type InternetGateway struct {
	Attachments       []InternetGatewayAttachment
	InternetGatewayId string
	OwnerId           string
	Tags              []Tag
}

// InternetGatewayAttachment is the VPC that a gateway is of.
type InternetGatewayAttachment struct {
	State string
	VpcId string
}

var gatewayFields = fields[InternetGateway]{
	"attachment.state": func(g InternetGateway) []string {
		return each(g.Attachments, func(a InternetGatewayAttachment) string { return a.State })
	},
	"attachment.vpc-id": func(g InternetGateway) []string {
		return each(g.Attachments, func(a InternetGatewayAttachment) string { return a.VpcId })
	},
	"internet-gateway-id": func(g InternetGateway) []string { return is(g.InternetGatewayId) },
	"owner-id":            func(g InternetGateway) []string { return is(g.OwnerId) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeInternetGatewaysInput, DescribeInternetGatewaysOutput]{
	Name:    "DescribeInternetGateways",
	Doc:     "Lists internet gateways.",
	Example: DescribeInternetGatewaysInput{Filters: []action.Filter{{Name: "attachment.vpc-id", Values: []string{"vpc-1a2b3c4d5e6f70819"}}}},
	On:      action.Own[*API, DescribeInternetGatewaysInput],
	List:    &action.List{Filters: gatewayFields.names()},
	Run:     describeInternetGateways,
})

var gatewayListing = listing[id.InternetGateway, InternetGateway]{
	name: func(g InternetGateway) string { return g.InternetGatewayId }, tags: func(g InternetGateway) []Tag { return g.Tags },
	fields: gatewayFields, missing: "InvalidInternetGatewayID.NotFound", what: "internetGateway", rows: gatewayRows,
}

func describeInternetGateways(ctx context.Context, api *API, who action.Caller, in *DescribeInternetGatewaysInput) (*DescribeInternetGatewaysOutput, error) {
	page, next, err := gatewayListing.page(ctx, api, who, in.InternetGatewayIds, in.Filters)
	return &DescribeInternetGatewaysOutput{InternetGateways: page, NextToken: next}, err
}

func gatewayRows(tx *store.Tx, l *looker) ([]InternetGateway, error) {
	rows, err := tx.GatewaysOf(l.account)
	all := []InternetGateway{}
	for _, g := range rows {
		out := InternetGateway{
			Attachments: []InternetGatewayAttachment{}, InternetGatewayId: string(g.ID), OwnerId: g.Account, Tags: tagSet(l.tags[string(g.ID)]),
		}
		if g.VPC != "" {
			out.Attachments = append(out.Attachments, InternetGatewayAttachment{State: "available", VpcId: string(g.VPC)})
		}
		all = append(all, out)
	}
	return all, err
}
