package ec2

import (
	"context"

	"karri/shared/action"
)

// RevokeSecurityGroupIngressInput names a group and what it shall let in no longer.
type RevokeSecurityGroupIngressInput struct {
	CidrIp                     *string // this and the next scalars: one rule, in the old form
	FromPort                   *int
	GroupId                    *string
	GroupName                  *string // of the default VPC
	IpPermissions              []IpPermission
	IpProtocol                 *string
	SecurityGroupRuleIds       []string // in place of all that describes rules
	SourceSecurityGroupName    *string
	SourceSecurityGroupOwnerId *string
	ToPort                     *int
}

var _ = action.Add(Catalog, action.Def[*API, RevokeSecurityGroupIngressInput, RevokeAnswer]{
	Name: "RevokeSecurityGroupIngress",
	Doc:  "Removes rules that let traffic in; connections that only they allowed are cut.",
	Example: RevokeSecurityGroupIngressInput{GroupId: ptr("sg-1a2b3c4d5e6f70819"), IpPermissions: []IpPermission{
		{IpProtocol: ptr("tcp"), FromPort: ptr(22), ToPort: ptr(22), IpRanges: []IpRange{{CidrIp: ptr("192.0.2.0/24")}}},
	}},
	On: onGroup(func(in *RevokeSecurityGroupIngressInput) (*string, *string) { return in.GroupId, in.GroupName }),
	Run: func(ctx context.Context, api *API, who action.Caller, in *RevokeSecurityGroupIngressInput) (*RevokeAnswer, error) {
		return api.revoke(ctx, who, ruleChange{
			byID: in.GroupId, byName: in.GroupName, permissions: in.IpPermissions, rules: in.SecurityGroupRuleIds,
			flat: flat{in.CidrIp, in.FromPort, in.ToPort, in.IpProtocol, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId},
		})
	},
})
