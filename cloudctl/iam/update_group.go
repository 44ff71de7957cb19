package iam

import (
	"cmp"
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// UpdateGroupInput says what a group is called from now on.
type UpdateGroupInput struct {
	GroupName    string
	NewPath      *string
	NewGroupName *string
}

var _ = action.Add(Catalog, action.Def[*API, UpdateGroupInput, action.Nothing]{
	Name:    "UpdateGroup",
	Doc:     "Gives a group another name or path.",
	Example: UpdateGroupInput{GroupName: "physicists", NewGroupName: ptr("lasers")},
	On: on(func(t *things, in *UpdateGroupInput) error {
		if err := t.group(in.GroupName); err != nil {
			return err
		}
		if in.NewGroupName != nil || in.NewPath != nil {
			t.add(arn(t.who.Account, "group", val(in.NewPath), cmp.Or(val(in.NewGroupName), in.GroupName)), nil)
		}
		return nil
	}),
	Run: updateGroup,
})

func updateGroup(ctx context.Context, api *API, who action.Caller, in *UpdateGroupInput) (*action.Nothing, error) {
	return nil, api.withGroup(ctx, who, in.GroupName, func(tx *store.Tx, g *store.UserGroup) (err error) {
		if in.NewPath != nil {
			if g.Path, err = checkPath(*in.NewPath); err != nil {
				return err
			}
		}
		if in.NewGroupName != nil {
			if err := checkName("newGroupName", *in.NewGroupName); err != nil {
				return err
			}
			if other, err := tx.UserGroup(who.Account, *in.NewGroupName); err == nil && other.ID != g.ID {
				return fault.New(fault.Conflict, "EntityAlreadyExists", "Group with name %s already exists.", *in.NewGroupName)
			}
			g.Name, g.Folded = *in.NewGroupName, store.Fold(*in.NewGroupName)
		}
		if err := tx.Put(g); err != nil {
			return err
		}
		return api.announceGroup(tx, g, changed)
	})
}
