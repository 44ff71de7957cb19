package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateUserInput describes the new user.
type CreateUserInput struct {
	Path                *string
	UserName            string
	PermissionsBoundary *string
	Tags                []Tag
}

// CreateUserOutput is the new user.
type CreateUserOutput struct{ User *User }

var _ = action.Add(Catalog, action.Def[*API, CreateUserInput, CreateUserOutput]{
	Name:    "CreateUser",
	Doc:     "Makes a user, who may nothing until policies say otherwise.",
	Example: CreateUserInput{UserName: "ada", Path: ptr("/physics/"), Tags: []Tag{{Key: "team", Value: "lasers"}}},
	On: on(func(t *things, in *CreateUserInput) error {
		t.add(arn(t.who.Account, "user", val(in.Path), in.UserName), nil)
		onBoundary(&t.all[0], val(in.PermissionsBoundary))
		t.tagged("iam:TagUser", in.Tags)
		return nil
	}),
	Run: createUser,
})

func createUser(ctx context.Context, api *API, who action.Caller, in *CreateUserInput) (*CreateUserOutput, error) {
	if err := checkName("userName", in.UserName); err != nil {
		return nil, err
	}
	path, err := checkPath(val(in.Path))
	if err != nil {
		return nil, err
	}
	u := &store.User{Account: who.Account, Name: in.UserName, Folded: store.Fold(in.UserName), Path: path, Created: api.Clock()}
	if err := setTags(&u.Tags, in.Tags); err != nil {
		return nil, err
	}
	if u.ID, err = api.newID("AIDA"); err != nil {
		return nil, err
	}
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.User(who.Account, in.UserName); err == nil {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "User with name %s already exists.", in.UserName)
		}
		if u.Boundary, err = api.bound(tx, who.Account, val(in.PermissionsBoundary)); err != nil {
			return err
		}
		if err := quota.Check(tx, who, "iam:quota-usernumber", 1); err != nil {
			return err
		}
		u.Creator = quota.Creator(who)
		if err := tx.Add(u); err != nil {
			return err
		}
		return api.announceUser(tx, u, created)
	})
	if err != nil {
		return nil, err
	}
	return &CreateUserOutput{User: ptr(fullUser(u))}, nil
}
