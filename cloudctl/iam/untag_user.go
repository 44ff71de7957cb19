package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UntagUserInput names a user and keys of tags.
type UntagUserInput struct {
	UserName string
	TagKeys  []string
}

var _ = action.Add(Catalog, action.Def[*API, UntagUserInput, action.Nothing]{
	Name:    "UntagUser",
	Doc:     "Takes tags from a user.",
	Example: UntagUserInput{UserName: "ada", TagKeys: []string{"team"}},
	On:      on(onUser(func(in *UntagUserInput) string { return in.UserName })),
	Run:     untagUser,
})

func untagUser(ctx context.Context, api *API, who action.Caller, in *UntagUserInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) error {
		for _, key := range in.TagKeys {
			dropTag(&u.Tags, key)
		}
		return api.putUser(tx, u)
	})
}
