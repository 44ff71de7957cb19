package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// AttachUserPolicyInput names a policy and a user.
type AttachUserPolicyInput struct {
	UserName  string
	PolicyArn string
}

var _ = action.Add(Catalog, action.Def[*API, AttachUserPolicyInput, action.Nothing]{
	Name:    "AttachUserPolicy",
	Doc:     "Gives a managed policy to a user.",
	Example: AttachUserPolicyInput{UserName: "ada", PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On: on(func(t *things, in *AttachUserPolicyInput) error {
		err := t.user(&in.UserName)
		t.withPolicy(in.PolicyArn)
		return err
	}),
	Run: attachUserPolicy,
})

func attachUserPolicy(ctx context.Context, api *API, who action.Caller, in *AttachUserPolicyInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		return api.attach(tx, ofUser(u), in.PolicyArn)
	})
}
