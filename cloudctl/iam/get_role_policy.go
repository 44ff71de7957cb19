package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetRolePolicyInput names a policy of a role.
type GetRolePolicyInput struct {
	RoleName   string
	PolicyName string
}

// GetRolePolicyOutput is the policy.
type GetRolePolicyOutput struct {
	RoleName       string
	PolicyName     string
	PolicyDocument string
}

var _ = action.Add(Catalog, action.Def[*API, GetRolePolicyInput, GetRolePolicyOutput]{
	Name:    "GetRolePolicy",
	Doc:     "Shows an inline policy of a role; the document is percent-encoded.",
	Example: GetRolePolicyInput{RoleName: "web", PolicyName: "look"},
	On:      on(onRole(func(in *GetRolePolicyInput) string { return in.RoleName })),
	Run:     getRolePolicy,
})

func getRolePolicy(ctx context.Context, api *API, who action.Caller, in *GetRolePolicyInput) (*GetRolePolicyOutput, error) {
	out := &GetRolePolicyOutput{}
	return out, api.viewRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		p, err := inline(tx, ofRole(r), in.PolicyName)
		if err == nil {
			*out = GetRolePolicyOutput{RoleName: r.Name, PolicyName: p.Name, PolicyDocument: encodePolicy(p.Document)}
		}
		return err
	})
}
