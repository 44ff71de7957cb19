package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListUserPoliciesInput names a user.
type ListUserPoliciesInput struct {
	UserName string
	Marker   *string
	MaxItems *int
}

// ListUserPoliciesOutput is a page of names.
type ListUserPoliciesOutput struct {
	PolicyNames []string
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListUserPoliciesInput, ListUserPoliciesOutput]{
	Name:    "ListUserPolicies",
	Doc:     "Lists the names of the inline policies of a user.",
	Example: ListUserPoliciesInput{UserName: "ada"},
	On:      on(onUser(func(in *ListUserPoliciesInput) string { return in.UserName })),
	List:    &action.List{},
	Run:     listUserPolicies,
})

func listUserPolicies(ctx context.Context, api *API, who action.Caller, in *ListUserPoliciesInput) (*ListUserPoliciesOutput, error) {
	out := &ListUserPoliciesOutput{}
	err := api.viewUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) (err error) {
		out.PolicyNames, out.Marker, err = inlineNames(ctx, tx, ofUser(u))
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
