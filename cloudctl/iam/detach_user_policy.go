package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DetachUserPolicyInput names a policy and a user.
type DetachUserPolicyInput struct {
	UserName  string
	PolicyArn string
}

var _ = action.Add(Catalog, action.Def[*API, DetachUserPolicyInput, action.Nothing]{
	Name:    "DetachUserPolicy",
	Doc:     "Takes a managed policy from a user.",
	Example: DetachUserPolicyInput{UserName: "ada", PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On: on(func(t *things, in *DetachUserPolicyInput) error {
		err := t.user(&in.UserName)
		t.withPolicy(in.PolicyArn)
		return err
	}),
	Run: detachUserPolicy,
})

func detachUserPolicy(ctx context.Context, api *API, who action.Caller, in *DetachUserPolicyInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		return api.detach(tx, ofUser(u), in.PolicyArn)
	})
}
