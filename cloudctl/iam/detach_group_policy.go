package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DetachGroupPolicyInput names a policy and a group.
type DetachGroupPolicyInput struct {
	GroupName string
	PolicyArn string
}

var _ = action.Add(Catalog, action.Def[*API, DetachGroupPolicyInput, action.Nothing]{
	Name:    "DetachGroupPolicy",
	Doc:     "Takes a managed policy from a group.",
	Example: DetachGroupPolicyInput{GroupName: "physicists", PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On: on(func(t *things, in *DetachGroupPolicyInput) error {
		err := t.group(in.GroupName)
		t.withPolicy(in.PolicyArn)
		return err
	}),
	Run: detachGroupPolicy,
})

func detachGroupPolicy(ctx context.Context, api *API, who action.Caller, in *DetachGroupPolicyInput) (*action.Nothing, error) {
	return nil, api.withGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) error {
		return api.detach(tx, ofGroup(g), in.PolicyArn)
	})
}
