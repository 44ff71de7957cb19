package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UpdateAccessKeyInput says whether a key is good.
type UpdateAccessKeyInput struct {
	UserName    *string // absent: who calls
	AccessKeyId string
	Status      string
}

var _ = action.Add(Catalog, action.Def[*API, UpdateAccessKeyInput, action.Nothing]{
	Name:    "UpdateAccessKey",
	Doc:     "Disables an access key, or makes it good again.",
	Example: UpdateAccessKeyInput{UserName: ptr("ada"), AccessKeyId: "AKIAIOSFODNN7EXAMPLE", Status: "Inactive"},
	On:      on(func(t *things, in *UpdateAccessKeyInput) error { return t.user(in.UserName) }),
	Run:     updateAccessKey,
})

func updateAccessKey(ctx context.Context, api *API, who action.Caller, in *UpdateAccessKeyInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		k, err := keyOf(tx, who, in.UserName, in.AccessKeyId)
		if err != nil {
			return err
		}
		k.Active = in.Status == status(true)
		return api.Accounts.PutKey(tx, k)
	})
}
