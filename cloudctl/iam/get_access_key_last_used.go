package iam

import (
	"cmp"
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// GetAccessKeyLastUsedInput names a key of the account.
type GetAccessKeyLastUsedInput struct {
	AccessKeyId string
}

// GetAccessKeyLastUsedOutput says whose key it is and when it was used.
type GetAccessKeyLastUsedOutput struct {
	UserName          *string
	AccessKeyLastUsed *AccessKeyLastUsed
}

var _ = action.Add(Catalog, action.Def[*API, GetAccessKeyLastUsedInput, GetAccessKeyLastUsedOutput]{
	Name:    "GetAccessKeyLastUsed",
	Doc:     "Tells when and for what an access key was last used, to the hour.",
	Example: GetAccessKeyLastUsedInput{AccessKeyId: "AKIAIOSFODNN7EXAMPLE"},
	On: on(func(t *things, in *GetAccessKeyLastUsedInput) error {
		if k, err := t.tx.AccessKey(in.AccessKeyId); err == nil && k.Account == t.who.Account && k.User != "" {
			u, err := t.tx.UserByID(k.User)
			if err == nil {
				t.add(u.ARN(), u.Tags)
			}
			return err
		}
		t.add(arn(t.who.Account, "user", "/", "*"), nil)
		return nil
	}),
	Run: getAccessKeyLastUsed,
})

func getAccessKeyLastUsed(ctx context.Context, api *API, who action.Caller, in *GetAccessKeyLastUsedInput) (*GetAccessKeyLastUsedOutput, error) {
	out := &GetAccessKeyLastUsedOutput{}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		k, err := tx.AccessKey(in.AccessKeyId)
		if fault.KindOf(err) == fault.Missing || err == nil && k.Account != who.Account {
			return fault.New(fault.Missing, "NoSuchEntity", "The Access Key with id %s cannot be found.", in.AccessKeyId)
		}
		if err != nil {
			return err
		}
		out.AccessKeyLastUsed = &AccessKeyLastUsed{LastUsedDate: k.Used, ServiceName: cmp.Or(k.UsedService, "N/A"), Region: cmp.Or(k.UsedRegion, "N/A")}
		if k.User == "" {
			return nil
		}
		u, err := tx.UserByID(k.User)
		if err == nil {
			out.UserName = &u.Name
		}
		return err
	})
}
