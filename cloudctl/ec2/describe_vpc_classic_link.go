package ec2

import (
	"context"

	"karri/shared/action"
)

// DescribeVpcClassicLinkInput narrows the list of VPCs.
type DescribeVpcClassicLinkInput struct {
	Filters []action.Filter
	VpcIds  []string
}

// DescribeVpcClassicLinkOutput lists VPCs.
type DescribeVpcClassicLinkOutput struct{ Vpcs []VpcClassicLink }

// VpcClassicLink says that a VPC is linked to nothing outside.
type VpcClassicLink struct {
	ClassicLinkEnabled bool
	Tags               []Tag
	VpcId              string
}

var linkFields = fields[VpcClassicLink]{
	"is-classic-link-enabled": func(v VpcClassicLink) []string { return isBool(v.ClassicLinkEnabled) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeVpcClassicLinkInput, DescribeVpcClassicLinkOutput]{
	Name:    "DescribeVpcClassicLink",
	Doc:     "Tells of each VPC that instances outside of it cannot be linked to it.",
	Example: DescribeVpcClassicLinkInput{VpcIds: []string{"vpc-1a2b3c4d5e6f70819"}},
	On:      action.Own[*API, DescribeVpcClassicLinkInput],
	List:    &action.List{Filters: linkFields.names()},
	Run: func(ctx context.Context, api *API, who action.Caller, in *DescribeVpcClassicLinkInput) (*DescribeVpcClassicLinkOutput, error) {
		vpcs, _, err := vpcListing.page(ctx, api, who, in.VpcIds, nil)
		all := []VpcClassicLink{}
		for _, v := range vpcs {
			all = append(all, VpcClassicLink{Tags: v.Tags, VpcId: v.VpcId})
		}
		return &DescribeVpcClassicLinkOutput{linkFields.pick(in.Filters, all, func(v VpcClassicLink) []Tag { return v.Tags })}, err
	},
})
