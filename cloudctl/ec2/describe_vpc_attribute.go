package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeVpcAttributeInput names a VPC and one of its attributes.
type DescribeVpcAttributeInput struct {
	Attribute string
	VpcId     string
}

// DescribeVpcAttributeOutput has the asked attribute alone.
type DescribeVpcAttributeOutput struct {
	EnableDnsHostnames               *BoolAttribute
	EnableDnsSupport                 *BoolAttribute
	EnableNetworkAddressUsageMetrics *BoolAttribute
	VpcId                            string
}

var _ = action.Add(Catalog, action.Def[*API, DescribeVpcAttributeInput, DescribeVpcAttributeOutput]{
	Name:    "DescribeVpcAttribute",
	Doc:     "Tells one attribute of a VPC.",
	Example: DescribeVpcAttributeInput{VpcId: "vpc-1a2b3c4d5e6f70819", Attribute: "enableDnsSupport"},
	On:      onVPC(func(in *DescribeVpcAttributeInput) string { return in.VpcId }),
	List:    &action.List{},
	Run:     describeVpcAttribute,
})

func describeVpcAttribute(ctx context.Context, api *API, who action.Caller, in *DescribeVpcAttributeInput) (*DescribeVpcAttributeOutput, error) {
	out := &DescribeVpcAttributeOutput{VpcId: in.VpcId}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		vpc, err := vpcOf(tx, who.Account, &in.VpcId)
		if err != nil {
			return err
		}
		switch in.Attribute {
		case "enableDnsSupport":
			out.EnableDnsSupport = &BoolAttribute{vpc.Support}
		case "enableDnsHostnames":
			out.EnableDnsHostnames = &BoolAttribute{vpc.Hostnames}
		default:
			out.EnableNetworkAddressUsageMetrics = &BoolAttribute{}
		}
		return nil
	})
	return out, err
}

// onVPC is the On of an action on one VPC.
func onVPC[In any](name func(*In) string) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return on(func(tx *store.Tx, u *uses, in *In) error {
		text := name(in)
		vpc, err := vpcOf(tx, u.who.Account, &text)
		if err == nil {
			u.add("vpc", string(vpc.ID))
		}
		return err
	})
}
