package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListAttachedGroupPoliciesInput names a group.
type ListAttachedGroupPoliciesInput struct {
	GroupName  string
	PathPrefix *string
	Marker     *string
	MaxItems   *int
}

// ListAttachedGroupPoliciesOutput is a page of policies.
type ListAttachedGroupPoliciesOutput struct {
	AttachedPolicies []AttachedPolicy
	IsTruncated      bool
	Marker           *string
}

var _ = action.Add(Catalog, action.Def[*API, ListAttachedGroupPoliciesInput, ListAttachedGroupPoliciesOutput]{
	Name:    "ListAttachedGroupPolicies",
	Doc:     "Lists the managed policies that a group has.",
	Example: ListAttachedGroupPoliciesInput{GroupName: "physicists"},
	On:      on(onGroup(func(in *ListAttachedGroupPoliciesInput) string { return in.GroupName })),
	List:    &action.List{},
	Run:     listAttachedGroupPolicies,
})

func listAttachedGroupPolicies(ctx context.Context, api *API, who action.Caller, in *ListAttachedGroupPoliciesInput) (*ListAttachedGroupPoliciesOutput, error) {
	out := &ListAttachedGroupPoliciesOutput{}
	err := api.viewGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) (err error) {
		out.AttachedPolicies, out.Marker, err = attached(ctx, tx, ofGroup(g), val(in.PathPrefix))
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
