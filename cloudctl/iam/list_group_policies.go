package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListGroupPoliciesInput names a group.
type ListGroupPoliciesInput struct {
	GroupName string
	Marker    *string
	MaxItems  *int
}

// ListGroupPoliciesOutput is a page of names.
type ListGroupPoliciesOutput struct {
	PolicyNames []string
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListGroupPoliciesInput, ListGroupPoliciesOutput]{
	Name:    "ListGroupPolicies",
	Doc:     "Lists the names of the inline policies of a group.",
	Example: ListGroupPoliciesInput{GroupName: "physicists"},
	On:      on(onGroup(func(in *ListGroupPoliciesInput) string { return in.GroupName })),
	List:    &action.List{},
	Run:     listGroupPolicies,
})

func listGroupPolicies(ctx context.Context, api *API, who action.Caller, in *ListGroupPoliciesInput) (*ListGroupPoliciesOutput, error) {
	out := &ListGroupPoliciesOutput{}
	err := api.viewGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) (err error) {
		out.PolicyNames, out.Marker, err = inlineNames(ctx, tx, ofGroup(g))
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
