package servicequotas

import (
	"context"

	"karri/shared/action"
)

// ListRequestedServiceQuotaChangeHistoryInput narrows the list.
type ListRequestedServiceQuotaChangeHistoryInput struct {
	MaxResults *int
	NextToken  *string

	QuotaRequestedAtLevel *string
	ServiceCode           *string
	Status                *string
}

// ListRequestedServiceQuotaChangeHistoryOutput lists requests.
type ListRequestedServiceQuotaChangeHistoryOutput struct {
	NextToken       *string
	RequestedQuotas []RequestedServiceQuotaChange
}

var _ = action.Add(Catalog, action.Def[*API, ListRequestedServiceQuotaChangeHistoryInput, ListRequestedServiceQuotaChangeHistoryOutput]{
	Name:    "ListRequestedServiceQuotaChangeHistory",
	Doc:     "Lists what the account asked to have more of.",
	Example: ListRequestedServiceQuotaChangeHistoryInput{ServiceCode: ptr("ec2")},
	List:    &action.List{},
	On:      onQuotas[ListRequestedServiceQuotaChangeHistoryInput],
	Run: func(ctx context.Context, api *API, who action.Caller, in *ListRequestedServiceQuotaChangeHistoryInput) (*ListRequestedServiceQuotaChangeHistoryOutput, error) {
		if err := checkLevel(in.QuotaRequestedAtLevel); err != nil {
			return nil, err
		}
		page, next, err := api.history(ctx, who, in.ServiceCode, nil, in.Status)
		return &ListRequestedServiceQuotaChangeHistoryOutput{RequestedQuotas: page, NextToken: next}, err
	},
})
