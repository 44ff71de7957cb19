package admin

import (
	"context"
	"encoding/json"
	"strconv"

	"karri/cloudctl/quota"
	"karri/shared/action"
	"karri/shared/fault"
)

// SetAccountQuotaInput names the account and its bounds; one of 0 is none.
type SetAccountQuotaInput struct {
	AccountId  string // or its name, or its alias
	MaxObjects *int64
	MaxBytes   *int64
}

var _ = action.Add(Catalog, action.Def[*API, SetAccountQuotaInput, action.Nothing]{
	Name:    "SetAccountQuota",
	Doc:     "Bounds how many objects and bytes all buckets of an account may hold together; bounds that are not given are none.",
	Example: SetAccountQuotaInput{AccountId: "123456789012", MaxBytes: new(int64(1 << 40))},
	On:      action.AdminOnly[*API, SetAccountQuotaInput],
	Run:     setAccountQuota,
})

// shareName is the policy that SetAccountQuota writes.
const shareName = "s3-share"

// setAccountQuota writes the policy that says so. A loop tells walrus.
func setAccountQuota(ctx context.Context, api *API, _ action.Caller, in *SetAccountQuotaInput) (*action.Nothing, error) {
	bounds := map[string]string{}
	for name, n := range map[string]*int64{quota.Objects: in.MaxObjects, quota.Bytes: in.MaxBytes} {
		switch {
		case n == nil || *n == 0:
		case *n < 0:
			return nil, fault.New(fault.Invalid, "InvalidParameterValue", "A quota is not negative; 0 is none.")
		default:
			bounds[name] = strconv.FormatInt(*n, 10)
		}
	}
	defer api.Nudge()
	if len(bounds) == 0 {
		err := api.Accounts.DeletePolicy(ctx, in.AccountId, shareName)
		if fault.KindOf(err) == fault.Missing {
			_, err = api.Accounts.Policies(ctx, in.AccountId) // the account must be there
		}
		return nil, err
	}
	doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Limit", "Action": "s3:*", "Resource": "*", "Condition": map[string]any{"NumericLessThanEquals": bounds},
	}}})
	if err != nil {
		return nil, err
	}
	return nil, api.Accounts.PutPolicy(ctx, in.AccountId, shareName, string(doc))
}
