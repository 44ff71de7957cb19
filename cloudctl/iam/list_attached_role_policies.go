package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListAttachedRolePoliciesInput names a role.
type ListAttachedRolePoliciesInput struct {
	RoleName   string
	PathPrefix *string
	Marker     *string
	MaxItems   *int
}

// ListAttachedRolePoliciesOutput is a page of policies.
type ListAttachedRolePoliciesOutput struct {
	AttachedPolicies []AttachedPolicy
	IsTruncated      bool
	Marker           *string
}

var _ = action.Add(Catalog, action.Def[*API, ListAttachedRolePoliciesInput, ListAttachedRolePoliciesOutput]{
	Name:    "ListAttachedRolePolicies",
	Doc:     "Lists the managed policies that a role has.",
	Example: ListAttachedRolePoliciesInput{RoleName: "web"},
	On:      on(onRole(func(in *ListAttachedRolePoliciesInput) string { return in.RoleName })),
	List:    &action.List{},
	Run:     listAttachedRolePolicies,
})

func listAttachedRolePolicies(ctx context.Context, api *API, who action.Caller, in *ListAttachedRolePoliciesInput) (*ListAttachedRolePoliciesOutput, error) {
	out := &ListAttachedRolePoliciesOutput{}
	err := api.viewRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) (err error) {
		out.AttachedPolicies, out.Marker, err = attached(ctx, tx, ofRole(r), val(in.PathPrefix))
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
