package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListRolesInput narrows the list.
type ListRolesInput struct {
	PathPrefix *string
	Marker     *string
	MaxItems   *int
}

// ListRolesOutput is a page of roles.
type ListRolesOutput struct {
	Roles       []Role
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListRolesInput, ListRolesOutput]{
	Name:    "ListRoles",
	Doc:     "Lists the roles of the account by name.",
	Example: ListRolesInput{PathPrefix: ptr("/"), MaxItems: ptr(10)},
	On:      onAccount[ListRolesInput]("role"),
	List:    &action.List{},
	Run:     listRoles,
})

func listRoles(ctx context.Context, api *API, who action.Caller, in *ListRolesInput) (*ListRolesOutput, error) {
	if err := checkPrefix(val(in.PathPrefix)); err != nil {
		return nil, err
	}
	out := &ListRolesOutput{Roles: []Role{}}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		after, most := action.Span(ctx)
		rows, err := tx.Roles(who.Account, val(in.PathPrefix), after, most)
		if err != nil {
			return err
		}
		rows, out.Marker, err = action.Page(ctx, rows, func(r store.Role) string { return r.Folded })
		for i := 0; i < len(rows) && err == nil; i++ {
			var r Role
			r, err = briefRole(tx, &rows[i])
			out.Roles = append(out.Roles, r)
		}
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
