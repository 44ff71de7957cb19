package ec2

import (
	"context"

	"karri/shared/action"
)

// DescribeVpcClassicLinkDnsSupportInput names VPCs; all when there is none.
type DescribeVpcClassicLinkDnsSupportInput struct {
	MaxResults *int
	NextToken  *string
	VpcIds     []string
}

// DescribeVpcClassicLinkDnsSupportOutput is a page of VPCs.
type DescribeVpcClassicLinkDnsSupportOutput struct {
	NextToken *string
	Vpcs      []ClassicLinkDnsSupport
}

// ClassicLinkDnsSupport says that a VPC has no names for what is outside.
type ClassicLinkDnsSupport struct {
	ClassicLinkDnsSupported bool
	VpcId                   string
}

var _ = action.Add(Catalog, action.Def[*API, DescribeVpcClassicLinkDnsSupportInput, DescribeVpcClassicLinkDnsSupportOutput]{
	Name:    "DescribeVpcClassicLinkDnsSupport",
	Doc:     "Tells of each VPC that it has no names for instances outside of it.",
	Example: DescribeVpcClassicLinkDnsSupportInput{VpcIds: []string{"vpc-1a2b3c4d5e6f70819"}},
	On:      action.Own[*API, DescribeVpcClassicLinkDnsSupportInput],
	List:    &action.List{Max: 255},
	Run: func(ctx context.Context, api *API, who action.Caller, in *DescribeVpcClassicLinkDnsSupportInput) (*DescribeVpcClassicLinkDnsSupportOutput, error) {
		vpcs, next, err := vpcListing.page(ctx, api, who, in.VpcIds, nil)
		out := &DescribeVpcClassicLinkDnsSupportOutput{NextToken: next}
		for _, v := range vpcs {
			out.Vpcs = append(out.Vpcs, ClassicLinkDnsSupport{VpcId: v.VpcId})
		}
		return out, err
	},
})
