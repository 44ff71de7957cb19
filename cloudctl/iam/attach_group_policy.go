package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// AttachGroupPolicyInput names a policy and a group.
type AttachGroupPolicyInput struct {
	GroupName string
	PolicyArn string
}

var _ = action.Add(Catalog, action.Def[*API, AttachGroupPolicyInput, action.Nothing]{
	Name:    "AttachGroupPolicy",
	Doc:     "Gives a managed policy to a group.",
	Example: AttachGroupPolicyInput{GroupName: "physicists", PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On: on(func(t *things, in *AttachGroupPolicyInput) error {
		err := t.group(in.GroupName)
		t.withPolicy(in.PolicyArn)
		return err
	}),
	Run: attachGroupPolicy,
})

func attachGroupPolicy(ctx context.Context, api *API, who action.Caller, in *AttachGroupPolicyInput) (*action.Nothing, error) {
	return nil, api.withGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) error {
		return api.attach(tx, ofGroup(g), in.PolicyArn)
	})
}
