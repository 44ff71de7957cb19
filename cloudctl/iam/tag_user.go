package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// TagUserInput names a user and tags.
type TagUserInput struct {
	UserName string
	Tags     []Tag
}

var _ = action.Add(Catalog, action.Def[*API, TagUserInput, action.Nothing]{
	Name:    "TagUser",
	Doc:     "Gives a user tags.",
	Example: TagUserInput{UserName: "ada", Tags: []Tag{{Key: "team", Value: "lasers"}}},
	On:      on(onUser(func(in *TagUserInput) string { return in.UserName })),
	Run:     tagUser,
})

func tagUser(ctx context.Context, api *API, who action.Caller, in *TagUserInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		if err := setTags(&u.Tags, in.Tags); err != nil {
			return err
		}
		return api.putUser(tx, u)
	})
}
