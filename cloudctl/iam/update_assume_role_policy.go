package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UpdateAssumeRolePolicyInput is whom a role is to trust.
type UpdateAssumeRolePolicyInput struct {
	RoleName       string
	PolicyDocument string
}

var _ = action.Add(Catalog, action.Def[*API, UpdateAssumeRolePolicyInput, action.Nothing]{
	Name: "UpdateAssumeRolePolicy",
	Doc:  "Changes whom a role trusts; sessions that there are go on.",
	Example: UpdateAssumeRolePolicyInput{RoleName: "web",
		PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`},
	On:  on(onRole(func(in *UpdateAssumeRolePolicyInput) string { return in.RoleName })),
	Run: updateAssumeRolePolicy,
})

func updateAssumeRolePolicy(ctx context.Context, api *API, who action.Caller, in *UpdateAssumeRolePolicyInput) (*action.Nothing, error) {
	return nil, api.withRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		var err error
		if r.Trust, err = pinTrust(tx, in.PolicyDocument); err != nil {
			return err
		}
		return api.putRole(tx, r)
	})
}
