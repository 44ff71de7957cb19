package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListInstanceProfilesInput narrows the list.
type ListInstanceProfilesInput struct {
	PathPrefix *string
	Marker     *string
	MaxItems   *int
}

// ListInstanceProfilesOutput is a page of profiles.
type ListInstanceProfilesOutput struct {
	InstanceProfiles []InstanceProfile
	IsTruncated      bool
	Marker           *string
}

var _ = action.Add(Catalog, action.Def[*API, ListInstanceProfilesInput, ListInstanceProfilesOutput]{
	Name:    "ListInstanceProfiles",
	Doc:     "Lists the instance profiles of the account by name.",
	Example: ListInstanceProfilesInput{PathPrefix: ptr("/"), MaxItems: ptr(10)},
	On:      onAccount[ListInstanceProfilesInput]("instance-profile"),
	List:    &action.List{},
	Run:     listInstanceProfiles,
})

func listInstanceProfiles(ctx context.Context, api *API, who action.Caller, in *ListInstanceProfilesInput) (*ListInstanceProfilesOutput, error) {
	if err := checkPrefix(val(in.PathPrefix)); err != nil {
		return nil, err
	}
	out := &ListInstanceProfilesOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		after, most := action.Span(ctx)
		rows, err := tx.InstanceProfiles(who.Account, val(in.PathPrefix), after, most)
		if err != nil {
			return err
		}
		out.InstanceProfiles, out.Marker, err = profilePage(ctx, tx, rows)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
