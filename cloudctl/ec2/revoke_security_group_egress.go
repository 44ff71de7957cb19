package ec2

import (
	"context"

	"karri/shared/action"
)

// RevokeSecurityGroupEgressInput names a group and what it shall let out no longer.
type RevokeSecurityGroupEgressInput struct {
	GroupId              string
	IpPermissions        []IpPermission
	SecurityGroupRuleIds []string // in place of permissions
}

var _ = action.Add(Catalog, action.Def[*API, RevokeSecurityGroupEgressInput, RevokeAnswer]{
	Name: "RevokeSecurityGroupEgress",
	Doc:  "Removes rules that let traffic out; connections that only they allowed are cut.",
	Example: RevokeSecurityGroupEgressInput{GroupId: "sg-1a2b3c4d5e6f70819", IpPermissions: []IpPermission{
		{IpProtocol: ptr("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: ptr("sg-1a2b3c4d5e6f70819")}}},
	}},
	On: onGroup(func(in *RevokeSecurityGroupEgressInput) (*string, *string) { return &in.GroupId, nil }),
	Run: func(ctx context.Context, api *API, who action.Caller, in *RevokeSecurityGroupEgressInput) (*RevokeAnswer, error) {
		return api.revoke(ctx, who, ruleChange{byID: &in.GroupId, egress: true, permissions: in.IpPermissions, rules: in.SecurityGroupRuleIds})
	},
})
