package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListUsersInput narrows the list.
type ListUsersInput struct {
	PathPrefix *string
	Marker     *string
	MaxItems   *int
}

// ListUsersOutput is a page of users.
type ListUsersOutput struct {
	Users       []User
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListUsersInput, ListUsersOutput]{
	Name:    "ListUsers",
	Doc:     "Lists the users of the account by name.",
	Example: ListUsersInput{PathPrefix: ptr("/physics/"), MaxItems: ptr(10)},
	On:      onAccount[ListUsersInput]("user"),
	List:    &action.List{},
	Run:     listUsers,
})

func listUsers(ctx context.Context, api *API, who action.Caller, in *ListUsersInput) (*ListUsersOutput, error) {
	if err := checkPrefix(val(in.PathPrefix)); err != nil {
		return nil, err
	}
	out := &ListUsersOutput{Users: []User{}}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		after, most := action.Span(ctx)
		rows, err := tx.Users(who.Account, val(in.PathPrefix), after, most)
		if err != nil {
			return err
		}
		rows, out.Marker, err = action.Page(ctx, rows, func(u store.User) string { return u.Folded })
		for _, u := range rows {
			brief := briefUser(&u)
			if err := api.lastLogin(tx, &u, &brief); err != nil {
				return err
			}
			out.Users = append(out.Users, brief)
		}
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
