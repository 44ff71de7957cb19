package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetUserPolicyInput names a policy of a user.
type GetUserPolicyInput struct {
	UserName   string
	PolicyName string
}

// GetUserPolicyOutput is the policy.
type GetUserPolicyOutput struct {
	UserName       string
	PolicyName     string
	PolicyDocument string
}

var _ = action.Add(Catalog, action.Def[*API, GetUserPolicyInput, GetUserPolicyOutput]{
	Name:    "GetUserPolicy",
	Doc:     "Shows an inline policy of a user; the document is percent-encoded.",
	Example: GetUserPolicyInput{UserName: "ada", PolicyName: "look"},
	On:      on(onUser(func(in *GetUserPolicyInput) string { return in.UserName })),
	Run:     getUserPolicy,
})

func getUserPolicy(ctx context.Context, api *API, who action.Caller, in *GetUserPolicyInput) (*GetUserPolicyOutput, error) {
	out := &GetUserPolicyOutput{}
	return out, api.viewUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		p, err := inline(tx, ofUser(u), in.PolicyName)
		if err == nil {
			*out = GetUserPolicyOutput{UserName: u.Name, PolicyName: p.Name, PolicyDocument: encodePolicy(p.Document)}
		}
		return err
	})
}
