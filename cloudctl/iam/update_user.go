package iam

import (
	"cmp"
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// UpdateUserInput says what a user is called from now on.
type UpdateUserInput struct {
	UserName    string
	NewPath     *string
	NewUserName *string
}

var _ = action.Add(Catalog, action.Def[*API, UpdateUserInput, action.Nothing]{
	Name:    "UpdateUser",
	Doc:     "Gives a user another name or path; what it has stays its own.",
	Example: UpdateUserInput{UserName: "ada", NewUserName: ptr("lovelace")},
	On: on(func(t *things, in *UpdateUserInput) error {
		if err := t.user(&in.UserName); err != nil {
			return err
		}
		if in.NewUserName != nil || in.NewPath != nil {
			t.add(arn(t.who.Account, "user", val(in.NewPath), cmp.Or(val(in.NewUserName), in.UserName)), nil)
		}
		return nil
	}),
	Run: updateUser,
})

func updateUser(ctx context.Context, api *API, who action.Caller, in *UpdateUserInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) (err error) {
		if in.NewPath != nil {
			if u.Path, err = checkPath(*in.NewPath); err != nil {
				return err
			}
		}
		if in.NewUserName != nil {
			if err := checkName("newUserName", *in.NewUserName); err != nil {
				return err
			}
			if other, err := tx.User(who.Account, *in.NewUserName); err == nil && other.ID != u.ID {
				return fault.New(fault.Conflict, "EntityAlreadyExists", "User with name %s already exists.", *in.NewUserName)
			}
			u.Name, u.Folded = *in.NewUserName, store.Fold(*in.NewUserName)
		}
		return api.putUser(tx, u)
	})
}
