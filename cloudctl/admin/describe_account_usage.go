package admin

import (
	"context"

	"karri/shared/action"
)

// DescribeAccountUsageInput names the account.
type DescribeAccountUsageInput struct{ AccountId string }

// DescribeAccountUsageOutput is what it holds and may hold; a bound of 0 is none.
type DescribeAccountUsageOutput struct {
	AccountId  string
	Objects    int64
	Bytes      int64
	MaxObjects int64
	MaxBytes   int64
}

var _ = action.Add(Catalog, action.Def[*API, DescribeAccountUsageInput, DescribeAccountUsageOutput]{
	Name:    "DescribeAccountUsage",
	Doc:     "Tells how much all buckets of an account hold together, and may hold.",
	Example: DescribeAccountUsageInput{AccountId: "123456789012"},
	On:      action.AdminOnly[*API, DescribeAccountUsageInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *DescribeAccountUsageInput) (*DescribeAccountUsageOutput, error) {
		s, err := api.Buckets.Share(ctx, in.AccountId)
		return &DescribeAccountUsageOutput{AccountId: in.AccountId, Objects: s.Used.Objects, Bytes: s.Used.Bytes, MaxObjects: s.Quota.Objects, MaxBytes: s.Quota.Bytes}, err
	},
})
