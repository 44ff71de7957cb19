package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListGroupsInput narrows the list.
type ListGroupsInput struct {
	PathPrefix *string
	Marker     *string
	MaxItems   *int
}

// ListGroupsOutput is a page of groups.
type ListGroupsOutput struct {
	Groups      []Group
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListGroupsInput, ListGroupsOutput]{
	Name:    "ListGroups",
	Doc:     "Lists the groups of the account by name.",
	Example: ListGroupsInput{PathPrefix: ptr("/physics/")},
	On:      onAccount[ListGroupsInput]("group"),
	List:    &action.List{},
	Run:     listGroups,
})

func listGroups(ctx context.Context, api *API, who action.Caller, in *ListGroupsInput) (*ListGroupsOutput, error) {
	if err := checkPrefix(val(in.PathPrefix)); err != nil {
		return nil, err
	}
	out := &ListGroupsOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		after, most := action.Span(ctx)
		rows, err := tx.UserGroups(who.Account, val(in.PathPrefix), after, most)
		if err != nil {
			return err
		}
		out.Groups, out.Marker, err = paged(ctx, rows, func(g store.UserGroup) string { return g.Folded }, showGroup)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
