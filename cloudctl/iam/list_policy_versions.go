package iam

import (
	"context"
	"fmt"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListPolicyVersionsInput names a policy.
type ListPolicyVersionsInput struct {
	PolicyArn string
	Marker    *string
	MaxItems  *int
}

// ListPolicyVersionsOutput is a page of versions.
type ListPolicyVersionsOutput struct {
	Versions    []PolicyVersion
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListPolicyVersionsInput, ListPolicyVersionsOutput]{
	Name:    "ListPolicyVersions",
	Doc:     "Lists the versions of a managed policy, the newest first, without their documents.",
	Example: ListPolicyVersionsInput{PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On:      on(onReadPolicy(func(in *ListPolicyVersionsInput) string { return in.PolicyArn })),
	List:    &action.List{},
	Run:     listPolicyVersions,
})

func listPolicyVersions(ctx context.Context, api *API, who action.Caller, in *ListPolicyVersionsInput) (*ListPolicyVersionsOutput, error) {
	out := &ListPolicyVersionsOutput{}
	if m := managed.Of(in.PolicyArn); m != nil {
		v := managedVersion(m)
		v.Document = nil
		out.Versions = []PolicyVersion{v}
		return out, nil
	}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		p, err := ownPolicy(tx, who.Account, in.PolicyArn)
		if err != nil {
			return err
		}
		rows, err := tx.PolicyVersions(p.ID)
		if err != nil {
			return err
		}
		newestFirst := func(v store.PolicyVersion) string { return fmt.Sprintf("%012d", p.LastVersion-v.Number) }
		out.Versions, out.Marker, err = paged(ctx, rows, newestFirst, func(v *store.PolicyVersion) PolicyVersion {
			brief := showVersion(p, v)
			brief.Document = nil
			return brief
		})
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
