package ec2

import (
	"context"

	"karri/shared/action"
)

// UpdateSecurityGroupRuleDescriptionsIngressInput names rules of a group, by
// what they let in or by their ids, and their new descriptions.
type UpdateSecurityGroupRuleDescriptionsIngressInput struct {
	GroupId                       *string
	GroupName                     *string // of the default VPC
	IpPermissions                 []IpPermission
	SecurityGroupRuleDescriptions []SecurityGroupRuleDescription
}

var _ = action.Add(Catalog, action.Def[*API, UpdateSecurityGroupRuleDescriptionsIngressInput, Done]{
	Name: "UpdateSecurityGroupRuleDescriptionsIngress",
	Doc:  "Changes the descriptions of rules that let traffic in.",
	Example: UpdateSecurityGroupRuleDescriptionsIngressInput{
		GroupId:                       ptr("sg-1a2b3c4d5e6f70819"),
		SecurityGroupRuleDescriptions: []SecurityGroupRuleDescription{{SecurityGroupRuleId: ptr("sgr-1a2b3c4d5e6f70819"), Description: ptr("office")}},
	},
	On: onGroup(func(in *UpdateSecurityGroupRuleDescriptionsIngressInput) (*string, *string) {
		return in.GroupId, in.GroupName
	}),
	Run: func(ctx context.Context, api *API, who action.Caller, in *UpdateSecurityGroupRuleDescriptionsIngressInput) (*Done, error) {
		c := ruleChange{byID: in.GroupId, byName: in.GroupName, permissions: in.IpPermissions}
		return api.describeRules(ctx, who, c, in.SecurityGroupRuleDescriptions)
	},
})
