package admin

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// ListQuotasInput names an account other than the caller's own, for the
// administrator.
type ListQuotasInput struct {
	AccountId *string // or its name, or its alias
}

// ListQuotasOutput lists all quotas by service and code.
type ListQuotasOutput struct{ Quotas []Quota }

// Quota is how much of something an account may have and has.
type Quota struct {
	Service string
	Code    string // in Service Quotas
	Name    string
	Key     string // that policies limit it with
	Limit   *int64 // nil: any number
	Used    *int64 // nil: it is about one thing, not about their number
	Policy  string // that sets the limit; "" is the default of every account
}

var _ = action.Add(Catalog, action.Def[*API, ListQuotasInput, ListQuotasOutput]{
	Name: "ListQuotas",
	Doc:  "Shows how much the account may have of each kind of thing, and has.",
	On: func(ctx context.Context, api *API, who action.Caller, in *ListQuotasInput) ([]action.Resource, error) {
		account, err := api.called(ctx, in.AccountId, who.Account)
		if account != who.Account { // one that is not there, too
			account = action.Cloud
		}
		return []action.Resource{{ARN: "*", Owner: account}}, err
	},
	Run: listQuotas,
})

func listQuotas(ctx context.Context, api *API, who action.Caller, in *ListQuotasInput) (*ListQuotasOutput, error) {
	account, err := api.called(ctx, in.AccountId, who.Account)
	if err != nil {
		return nil, err
	}
	out := &ListQuotasOutput{}
	err = api.Accounts.Store.View(ctx, func(tx *store.Tx) error {
		for _, q := range quota.All() {
			b, err := quota.OfAccount(tx, account, q.Name)
			if err != nil {
				return err
			}
			one := Quota{Service: q.Service, Code: q.ID, Name: q.Title, Key: q.Name, Policy: b.By}
			if b.Most != quota.None {
				one.Limit = &b.Most
			}
			if store.Counts(q.Name) {
				one.Used = &b.Held
			}
			out.Quotas = append(out.Quotas, one)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, api.addBuckets(ctx, account, out.Quotas)
}

// addBuckets tells what walrus counts; while it cannot be asked, that is not shown.
func (api *API) addBuckets(ctx context.Context, account string, all []Quota) error {
	s, err := api.Buckets.Share(ctx, account)
	if err != nil {
		if fault.KindOf(err) == fault.Later {
			return nil
		}
		return err
	}
	for i := range all {
		switch all[i].Key {
		case quota.Buckets:
			all[i].Used = &s.Used.Buckets
		case quota.Objects:
			all[i].Used = &s.Used.Objects
		case quota.Bytes:
			all[i].Used = &s.Used.Bytes
		}
	}
	return nil
}
