package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetGroupInput names a group.
type GetGroupInput struct {
	GroupName string
	Marker    *string
	MaxItems  *int
}

// GetGroupOutput is the group with a page of its users.
type GetGroupOutput struct {
	Group       *Group
	Users       []User
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, GetGroupInput, GetGroupOutput]{
	Name:    "GetGroup",
	Doc:     "Shows a group and the users in it.",
	Example: GetGroupInput{GroupName: "physicists"},
	On:      on(onGroup(func(in *GetGroupInput) string { return in.GroupName })),
	List:    &action.List{},
	Run:     getGroup,
})

func getGroup(ctx context.Context, api *API, who action.Caller, in *GetGroupInput) (*GetGroupOutput, error) {
	out := &GetGroupOutput{}
	err := api.viewGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) error {
		out.Group = ptr(showGroup(g))
		rows, err := tx.UsersOfGroup(g.ID)
		if err != nil {
			return err
		}
		out.Users, out.Marker, err = paged(ctx, rows, func(u store.User) string { return u.Folded }, briefUser)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
