package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListGroupsForUserInput names a user.
type ListGroupsForUserInput struct {
	UserName string
	Marker   *string
	MaxItems *int
}

// ListGroupsForUserOutput is a page of groups.
type ListGroupsForUserOutput struct {
	Groups      []Group
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListGroupsForUserInput, ListGroupsForUserOutput]{
	Name:    "ListGroupsForUser",
	Doc:     "Lists the groups that a user is in.",
	Example: ListGroupsForUserInput{UserName: "ada"},
	On:      on(onUser(func(in *ListGroupsForUserInput) string { return in.UserName })),
	List:    &action.List{},
	Run:     listGroupsForUser,
})

func listGroupsForUser(ctx context.Context, api *API, who action.Caller, in *ListGroupsForUserInput) (*ListGroupsForUserOutput, error) {
	out := &ListGroupsForUserOutput{}
	err := api.viewUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		rows, err := tx.GroupsOfUser(u.ID)
		if err != nil {
			return err
		}
		out.Groups, out.Marker, err = paged(ctx, rows, func(g store.UserGroup) string { return g.Folded }, showGroup)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
