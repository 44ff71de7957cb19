package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetGroupPolicyInput names a policy of a group.
type GetGroupPolicyInput struct {
	GroupName  string
	PolicyName string
}

// GetGroupPolicyOutput is the policy.
type GetGroupPolicyOutput struct {
	GroupName      string
	PolicyName     string
	PolicyDocument string
}

var _ = action.Add(Catalog, action.Def[*API, GetGroupPolicyInput, GetGroupPolicyOutput]{
	Name:    "GetGroupPolicy",
	Doc:     "Shows an inline policy of a group; the document is percent-encoded.",
	Example: GetGroupPolicyInput{GroupName: "physicists", PolicyName: "look"},
	On:      on(onGroup(func(in *GetGroupPolicyInput) string { return in.GroupName })),
	Run:     getGroupPolicy,
})

func getGroupPolicy(ctx context.Context, api *API, who action.Caller, in *GetGroupPolicyInput) (*GetGroupPolicyOutput, error) {
	out := &GetGroupPolicyOutput{}
	return out, api.viewGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) error {
		p, err := inline(tx, ofGroup(g), in.PolicyName)
		if err == nil {
			*out = GetGroupPolicyOutput{GroupName: g.Name, PolicyName: p.Name, PolicyDocument: encodePolicy(p.Document)}
		}
		return err
	})
}
