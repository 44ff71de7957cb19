package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteAccessKeyInput names a key.
type DeleteAccessKeyInput struct {
	UserName    *string // absent: who calls
	AccessKeyId string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteAccessKeyInput, action.Nothing]{
	Name:    "DeleteAccessKey",
	Doc:     "Deletes an access key.",
	Example: DeleteAccessKeyInput{UserName: ptr("ada"), AccessKeyId: "AKIAIOSFODNN7EXAMPLE"},
	On:      on(func(t *things, in *DeleteAccessKeyInput) error { return t.user(in.UserName) }),
	Run:     deleteAccessKey,
})

func deleteAccessKey(ctx context.Context, api *API, who action.Caller, in *DeleteAccessKeyInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		k, err := keyOf(tx, who, in.UserName, in.AccessKeyId)
		if err != nil {
			return err
		}
		return api.Accounts.DropKey(tx, k)
	})
}
