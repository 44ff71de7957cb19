package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateGroupInput describes the new group.
type CreateGroupInput struct {
	Path      *string
	GroupName string
}

// CreateGroupOutput is the new group.
type CreateGroupOutput struct{ Group *Group }

var _ = action.Add(Catalog, action.Def[*API, CreateGroupInput, CreateGroupOutput]{
	Name:    "CreateGroup",
	Doc:     "Makes a group of users, without any yet.",
	Example: CreateGroupInput{GroupName: "physicists", Path: ptr("/physics/")},
	On: on(func(t *things, in *CreateGroupInput) error {
		t.add(arn(t.who.Account, "group", val(in.Path), in.GroupName), nil)
		return nil
	}),
	Run: createGroup,
})

func createGroup(ctx context.Context, api *API, who action.Caller, in *CreateGroupInput) (*CreateGroupOutput, error) {
	if err := checkName("groupName", in.GroupName); err != nil {
		return nil, err
	}
	path, err := checkPath(val(in.Path))
	if err != nil {
		return nil, err
	}
	g := &store.UserGroup{Account: who.Account, Name: in.GroupName, Folded: store.Fold(in.GroupName), Path: path, Created: api.Clock()}
	if g.ID, err = api.newID("AGPA"); err != nil {
		return nil, err
	}
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.UserGroup(who.Account, in.GroupName); err == nil {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "Group with name %s already exists.", in.GroupName)
		}
		if err := quota.Check(tx, who, "iam:quota-groupnumber", 1); err != nil {
			return err
		}
		g.Creator = quota.Creator(who)
		if err := tx.Add(g); err != nil {
			return err
		}
		return api.announceGroup(tx, g, created)
	})
	if err != nil {
		return nil, err
	}
	return &CreateGroupOutput{Group: ptr(showGroup(g))}, nil
}
