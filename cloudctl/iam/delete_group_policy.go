package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteGroupPolicyInput names a policy of a group.
type DeleteGroupPolicyInput struct {
	GroupName  string
	PolicyName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteGroupPolicyInput, action.Nothing]{
	Name:    "DeleteGroupPolicy",
	Doc:     "Deletes an inline policy of a group.",
	Example: DeleteGroupPolicyInput{GroupName: "physicists", PolicyName: "look"},
	On:      on(onGroup(func(in *DeleteGroupPolicyInput) string { return in.GroupName })),
	Run:     deleteGroupPolicy,
})

func deleteGroupPolicy(ctx context.Context, api *API, who action.Caller, in *DeleteGroupPolicyInput) (*action.Nothing, error) {
	return nil, api.withGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) error {
		return api.dropInline(tx, ofGroup(g), in.PolicyName)
	})
}
