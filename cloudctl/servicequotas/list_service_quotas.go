package servicequotas

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListServiceQuotasInput names a service.
type ListServiceQuotasInput struct {
	MaxResults          *int
	NextToken           *string
	QuotaAppliedAtLevel *string
	QuotaCode           *string
	ServiceCode         string
}

// ListServiceQuotasOutput lists its quotas by code.
type ListServiceQuotasOutput struct {
	NextToken *string
	Quotas    []ServiceQuota
}

var _ = action.Add(Catalog, action.Def[*API, ListServiceQuotasInput, ListServiceQuotasOutput]{
	Name:    "ListServiceQuotas",
	Doc:     "Lists what holds for the caller's account of the quotas of a service.",
	Example: ListServiceQuotasInput{ServiceCode: "ec2"},
	List:    &action.List{},
	On:      onQuotas[ListServiceQuotasInput],
	Run: func(ctx context.Context, api *API, who action.Caller, in *ListServiceQuotasInput) (*ListServiceQuotasOutput, error) {
		if err := checkLevel(in.QuotaAppliedAtLevel); err != nil {
			return nil, err
		}
		all, err := of(&in.ServiceCode, in.QuotaCode)
		if err != nil {
			return nil, err
		}
		var shapes []ServiceQuota
		err = api.Store.View(ctx, func(tx *store.Tx) error {
			for _, q := range all {
				b, err := quota.OfAccount(tx, who.Account, q.Name)
				if err != nil {
					return err
				}
				shapes = append(shapes, api.shape(q, who.Account, b.Most))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		page, next, err := action.Page(ctx, shapes, func(s ServiceQuota) string { return s.QuotaCode })
		return &ListServiceQuotasOutput{Quotas: page, NextToken: next}, err
	},
})
