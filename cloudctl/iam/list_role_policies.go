package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListRolePoliciesInput names a role.
type ListRolePoliciesInput struct {
	RoleName string
	Marker   *string
	MaxItems *int
}

// ListRolePoliciesOutput is a page of names.
type ListRolePoliciesOutput struct {
	PolicyNames []string
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListRolePoliciesInput, ListRolePoliciesOutput]{
	Name:    "ListRolePolicies",
	Doc:     "Lists the names of the inline policies of a role.",
	Example: ListRolePoliciesInput{RoleName: "web"},
	On:      on(onRole(func(in *ListRolePoliciesInput) string { return in.RoleName })),
	List:    &action.List{},
	Run:     listRolePolicies,
})

func listRolePolicies(ctx context.Context, api *API, who action.Caller, in *ListRolePoliciesInput) (*ListRolePoliciesOutput, error) {
	out := &ListRolePoliciesOutput{}
	err := api.viewRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) (err error) {
		out.PolicyNames, out.Marker, err = inlineNames(ctx, tx, ofRole(r))
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
