package ec2

import (
	"context"

	"karri/shared/action"
)

// AuthorizeSecurityGroupEgressInput names a group and what it shall let out.
type AuthorizeSecurityGroupEgressInput struct {
	GroupId           string
	IpPermissions     []IpPermission
	TagSpecifications []TagSpecification
}

var _ = action.Add(Catalog, action.Def[*API, AuthorizeSecurityGroupEgressInput, RuleAnswer]{
	Name: "AuthorizeSecurityGroupEgress",
	Doc:  "Adds rules that let traffic out from the members of a security group.",
	Example: AuthorizeSecurityGroupEgressInput{GroupId: "sg-1a2b3c4d5e6f70819", IpPermissions: []IpPermission{
		{IpProtocol: ptr("-1"), UserIdGroupPairs: []UserIdGroupPair{{GroupId: ptr("sg-1a2b3c4d5e6f70819")}}},
	}},
	On: onGroup(func(in *AuthorizeSecurityGroupEgressInput) (*string, *string) { return &in.GroupId, nil }),
	Run: func(ctx context.Context, api *API, who action.Caller, in *AuthorizeSecurityGroupEgressInput) (*RuleAnswer, error) {
		return api.authorize(ctx, who, ruleChange{byID: &in.GroupId, egress: true, permissions: in.IpPermissions, tags: in.TagSpecifications})
	},
})
