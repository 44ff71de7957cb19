package admin

import (
	"context"

	"karri/shared/action"
)

// SetAccountQuotaInput names the account and its bounds; one of 0 is none.
type SetAccountQuotaInput struct {
	AccountId  string
	MaxObjects *int64
	MaxBytes   *int64
}

var _ = action.Add(Catalog, action.Def[*API, SetAccountQuotaInput, action.Nothing]{
	Name:    "SetAccountQuota",
	Doc:     "Bounds how many objects and bytes all buckets of an account may hold together; bounds that are not given are none.",
	Example: SetAccountQuotaInput{AccountId: "123456789012", MaxBytes: new(int64(1 << 40))},
	On:      action.AdminOnly[*API, SetAccountQuotaInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *SetAccountQuotaInput) (*action.Nothing, error) {
		return nil, api.Buckets.SetShare(ctx, in.AccountId, amount(in.MaxObjects, in.MaxBytes))
	},
})
