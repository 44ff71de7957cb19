package sts

import (
	"context"

	"karri/cloudctl/session"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// GetAccessKeyInfoInput names an access key.
type GetAccessKeyInfoInput struct {
	AccessKeyId string
}

// GetAccessKeyInfoOutput is whose it is.
type GetAccessKeyInfoOutput struct{ Account string }

var _ = action.Add(Catalog, action.Def[*API, GetAccessKeyInfoInput, GetAccessKeyInfoOutput]{
	Name:    "GetAccessKeyInfo",
	Doc:     "Tells the account of an access key, of a session too.",
	Example: GetAccessKeyInfoInput{AccessKeyId: "AKIAIOSFODNN7EXAMPLE"},
	On:      action.Everyone[*API, GetAccessKeyInfoInput],
	Run:     getAccessKeyInfo,
})

func getAccessKeyInfo(ctx context.Context, api *API, _ action.Caller, in *GetAccessKeyInfoInput) (*GetAccessKeyInfoOutput, error) {
	out := &GetAccessKeyInfoOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		if out.Account = session.AccountOf(in.AccessKeyId); out.Account != "" {
			_, err := tx.Account(out.Account)
			return err
		}
		k, err := tx.AccessKey(in.AccessKeyId)
		if err == nil {
			out.Account = k.Account
		}
		return err
	})
	if fault.KindOf(err) == fault.Missing && err != nil {
		return nil, validation("The access key %.130s is not one of this cloud.", in.AccessKeyId)
	}
	return out, err
}
