package iam

import (
	"context"
	"slices"
	"strings"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListPoliciesInput narrows the list.
type ListPoliciesInput struct {
	Scope             *string // All, AWS (of the cloud) or Local (of the account)
	OnlyAttached      *bool
	PathPrefix        *string
	PolicyUsageFilter *string
	Marker            *string
	MaxItems          *int
}

// ListPoliciesOutput is a page of policies.
type ListPoliciesOutput struct {
	Policies    []Policy
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListPoliciesInput, ListPoliciesOutput]{
	Name:    "ListPolicies",
	Doc:     "Lists the managed policies of the account and of the cloud by name.",
	Example: ListPoliciesInput{Scope: ptr("Local"), MaxItems: ptr(10)},
	On:      onAccount[ListPoliciesInput]("policy"),
	List:    &action.List{},
	Run:     listPolicies,
})

func listPolicies(ctx context.Context, api *API, who action.Caller, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	prefix := val(in.PathPrefix)
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	out := &ListPoliciesOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		uses, err := tx.PolicyUses(who.Account)
		if err != nil {
			return err
		}
		var all []Policy
		if val(in.Scope) != "AWS" {
			rows, err := tx.ManagedPolicies(who.Account, prefix, "", 0)
			if err != nil {
				return err
			}
			for _, p := range rows {
				all = append(all, showPolicy(&p, uses[p.ARN]))
			}
		}
		if val(in.Scope) != "Local" {
			for _, p := range managed.All() {
				if strings.HasPrefix(p.Path, prefix) {
					all = append(all, showManaged(p, uses[p.ARN]))
				}
			}
		}
		all = slices.DeleteFunc(all, func(p Policy) bool { return !in.wants(&p) })
		byName := func(p Policy) string { return shortKey(store.Fold(p.PolicyName), p.Arn) }
		out.Policies, out.Marker, err = paged(ctx, all, byName, func(p *Policy) Policy { return *p })
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}

// wants reports whether a policy is used as the request says.
func (in *ListPoliciesInput) wants(p *Policy) bool {
	switch attached := p.AttachmentCount > 0; val(in.PolicyUsageFilter) {
	case "PermissionsBoundary":
		return p.PermissionsBoundaryUsageCount > 0
	case "PermissionsPolicy":
		return attached || !val(in.OnlyAttached) && p.PermissionsBoundaryUsageCount == 0
	default:
		return attached || !val(in.OnlyAttached)
	}
}
