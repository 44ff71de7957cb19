package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateAccessKeyInput names a user.
type CreateAccessKeyInput struct {
	UserName *string // absent: who calls
}

// CreateAccessKeyOutput is the new key.
type CreateAccessKeyOutput struct{ AccessKey *AccessKey }

var _ = action.Add(Catalog, action.Def[*API, CreateAccessKeyInput, CreateAccessKeyOutput]{
	Name:    "CreateAccessKey",
	Doc:     "Makes an access key of a user, or of who calls; the secret is shown here only.",
	Example: CreateAccessKeyInput{UserName: ptr("ada")},
	On:      on(func(t *things, in *CreateAccessKeyInput) error { return t.user(in.UserName) }),
	Run:     createAccessKey,
})

func createAccessKey(ctx context.Context, api *API, who action.Caller, in *CreateAccessKeyInput) (*CreateAccessKeyOutput, error) {
	out := &CreateAccessKeyOutput{}
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		u, err := userOr(tx, who, in.UserName)
		if err != nil {
			return err
		}
		id, name := idName(u)
		has, err := tx.AccessKeysOfUser(who.Account, id)
		if err != nil {
			return err
		}
		if len(has) >= maxKeys {
			return fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
		}
		if err := quota.Check(tx, who, "iam:quota-accesskeynumber", 1); err != nil {
			return err
		}
		key, err := api.Accounts.AddKey(tx, who.Account, u, quota.Creator(who))
		out.AccessKey = &AccessKey{UserName: name, AccessKeyId: key.AccessKey, Status: status(true), SecretAccessKey: key.Secret, CreateDate: api.Clock()}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
