package servicequotas

import (
	"context"

	"karri/shared/action"
)

// ListAWSDefaultServiceQuotasInput names a service.
type ListAWSDefaultServiceQuotasInput struct {
	MaxResults  *int
	NextToken   *string
	ServiceCode string
}

// ListAWSDefaultServiceQuotasOutput lists its quotas by code.
type ListAWSDefaultServiceQuotasOutput struct {
	NextToken *string
	Quotas    []ServiceQuota
}

var _ = action.Add(Catalog, action.Def[*API, ListAWSDefaultServiceQuotasInput, ListAWSDefaultServiceQuotasOutput]{
	Name:    "ListAWSDefaultServiceQuotas",
	Doc:     "Lists what holds of the quotas of a service where nothing else was decided.",
	Example: ListAWSDefaultServiceQuotasInput{ServiceCode: "ec2"},
	List:    &action.List{},
	On:      onQuotas[ListAWSDefaultServiceQuotasInput],
	Run: func(ctx context.Context, api *API, who action.Caller, in *ListAWSDefaultServiceQuotasInput) (*ListAWSDefaultServiceQuotasOutput, error) {
		all, err := of(&in.ServiceCode, nil)
		if err != nil {
			return nil, err
		}
		var shapes []ServiceQuota
		for _, q := range all {
			shapes = append(shapes, api.shape(q, who.Account, q.Default))
		}
		page, next, err := action.Page(ctx, shapes, func(s ServiceQuota) string { return s.QuotaCode })
		return &ListAWSDefaultServiceQuotasOutput{Quotas: page, NextToken: next}, err
	},
})
