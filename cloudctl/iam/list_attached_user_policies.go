package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListAttachedUserPoliciesInput names a user.
type ListAttachedUserPoliciesInput struct {
	UserName   string
	PathPrefix *string
	Marker     *string
	MaxItems   *int
}

// ListAttachedUserPoliciesOutput is a page of policies.
type ListAttachedUserPoliciesOutput struct {
	AttachedPolicies []AttachedPolicy
	IsTruncated      bool
	Marker           *string
}

var _ = action.Add(Catalog, action.Def[*API, ListAttachedUserPoliciesInput, ListAttachedUserPoliciesOutput]{
	Name:    "ListAttachedUserPolicies",
	Doc:     "Lists the managed policies that a user has.",
	Example: ListAttachedUserPoliciesInput{UserName: "ada"},
	On:      on(onUser(func(in *ListAttachedUserPoliciesInput) string { return in.UserName })),
	List:    &action.List{},
	Run:     listAttachedUserPolicies,
})

func listAttachedUserPolicies(ctx context.Context, api *API, who action.Caller, in *ListAttachedUserPoliciesInput) (*ListAttachedUserPoliciesOutput, error) {
	out := &ListAttachedUserPoliciesOutput{}
	err := api.viewUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) (err error) {
		out.AttachedPolicies, out.Marker, err = attached(ctx, tx, ofUser(u), val(in.PathPrefix))
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
