package ec2

import (
	"context"

	"karri/shared/action"
)

// AuthorizeSecurityGroupIngressInput names a group and what it shall let in.
type AuthorizeSecurityGroupIngressInput struct {
	CidrIp                     *string // this and the next scalars: one rule, in the old form
	FromPort                   *int
	GroupId                    *string
	GroupName                  *string // of the default VPC
	IpPermissions              []IpPermission
	IpProtocol                 *string
	SourceSecurityGroupName    *string
	SourceSecurityGroupOwnerId *string
	TagSpecifications          []TagSpecification
	ToPort                     *int
}

var _ = action.Add(Catalog, action.Def[*API, AuthorizeSecurityGroupIngressInput, RuleAnswer]{
	Name: "AuthorizeSecurityGroupIngress",
	Doc:  "Adds rules that let traffic in to the members of a security group.",
	Example: AuthorizeSecurityGroupIngressInput{GroupId: ptr("sg-1a2b3c4d5e6f70819"), IpPermissions: []IpPermission{
		{IpProtocol: ptr("tcp"), FromPort: ptr(22), ToPort: ptr(22), IpRanges: []IpRange{{CidrIp: ptr("192.0.2.0/24"), Description: ptr("office")}}},
	}},
	On: onGroup(func(in *AuthorizeSecurityGroupIngressInput) (*string, *string) { return in.GroupId, in.GroupName }),
	Run: func(ctx context.Context, api *API, who action.Caller, in *AuthorizeSecurityGroupIngressInput) (*RuleAnswer, error) {
		return api.authorize(ctx, who, ruleChange{
			byID: in.GroupId, byName: in.GroupName, permissions: in.IpPermissions, tags: in.TagSpecifications,
			flat: flat{in.CidrIp, in.FromPort, in.ToPort, in.IpProtocol, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId},
		})
	},
})
