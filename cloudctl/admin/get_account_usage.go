package admin

import (
	"context"

	"karri/shared/action"
)

// GetAccountUsageInput names the account.
type GetAccountUsageInput struct {
	AccountId string // or its name, or its alias
}

// GetAccountUsageOutput is what it holds and may hold; a bound that is not set is absent.
type GetAccountUsageOutput struct {
	AccountId  string
	Objects    int64
	Bytes      int64
	MaxObjects *int64
	MaxBytes   *int64
}

var _ = action.Add(Catalog, action.Def[*API, GetAccountUsageInput, GetAccountUsageOutput]{
	Name:    "GetAccountUsage",
	Doc:     "Tells how much all buckets of an account hold together, and may hold.",
	Example: GetAccountUsageInput{AccountId: "123456789012"},
	On:      action.AdminOnly[*API, GetAccountUsageInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *GetAccountUsageInput) (*GetAccountUsageOutput, error) {
		account, err := api.Accounts.Called(ctx, in.AccountId)
		if err != nil {
			return nil, err
		}
		s, err := api.Buckets.Share(ctx, account)
		return &GetAccountUsageOutput{AccountId: account, Objects: s.Used.Objects, Bytes: s.Used.Bytes, MaxObjects: bound(s.Quota.Objects), MaxBytes: bound(s.Quota.Bytes)}, err
	},
})
