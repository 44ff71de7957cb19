package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteUserPolicyInput names a policy of a user.
type DeleteUserPolicyInput struct {
	UserName   string
	PolicyName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteUserPolicyInput, action.Nothing]{
	Name:    "DeleteUserPolicy",
	Doc:     "Deletes an inline policy of a user.",
	Example: DeleteUserPolicyInput{UserName: "ada", PolicyName: "look"},
	On:      on(onUser(func(in *DeleteUserPolicyInput) string { return in.UserName })),
	Run:     deleteUserPolicy,
})

func deleteUserPolicy(ctx context.Context, api *API, who action.Caller, in *DeleteUserPolicyInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		return api.dropInline(tx, ofUser(u), in.PolicyName)
	})
}
