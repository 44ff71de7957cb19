package ec2

import (
	"context"

	"karri/shared/action"
)

// DescribeStaleSecurityGroupsInput names a VPC.
type DescribeStaleSecurityGroupsInput struct {
	MaxResults *int
	NextToken  *string
	VpcId      string
}

// DescribeStaleSecurityGroupsOutput lists groups with rules that lead nowhere.
type DescribeStaleSecurityGroupsOutput struct {
	NextToken             *string
	StaleSecurityGroupSet []Nothing
}

var _ = action.Add(Catalog, action.Def[*API, DescribeStaleSecurityGroupsInput, DescribeStaleSecurityGroupsOutput]{
	Name:    "DescribeStaleSecurityGroups",
	Doc:     "Lists groups whose rules refer to groups that are gone: none, as such a group cannot be deleted.",
	Example: DescribeStaleSecurityGroupsInput{VpcId: "vpc-1a2b3c4d5e6f70819"},
	On:      onVPC(func(in *DescribeStaleSecurityGroupsInput) string { return in.VpcId }),
	List:    &action.List{Max: 255},
	Run: func(context.Context, *API, action.Caller, *DescribeStaleSecurityGroupsInput) (*DescribeStaleSecurityGroupsOutput, error) {
		return nil, nil
	},
})
