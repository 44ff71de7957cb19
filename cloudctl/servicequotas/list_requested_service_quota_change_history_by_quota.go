package servicequotas

import (
	"context"

	"karri/shared/action"
)

// ListRequestedServiceQuotaChangeHistoryByQuotaInput narrows the list.
type ListRequestedServiceQuotaChangeHistoryByQuotaInput struct {
	MaxResults            *int
	NextToken             *string
	QuotaCode             string
	QuotaRequestedAtLevel *string
	ServiceCode           string
	Status                *string
}

// ListRequestedServiceQuotaChangeHistoryByQuotaOutput lists requests.
type ListRequestedServiceQuotaChangeHistoryByQuotaOutput struct {
	NextToken       *string
	RequestedQuotas []RequestedServiceQuotaChange
}

var _ = action.Add(Catalog, action.Def[*API, ListRequestedServiceQuotaChangeHistoryByQuotaInput, ListRequestedServiceQuotaChangeHistoryByQuotaOutput]{
	Name:    "ListRequestedServiceQuotaChangeHistoryByQuota",
	Doc:     "Lists when the account asked to have more of something.",
	Example: ListRequestedServiceQuotaChangeHistoryByQuotaInput{ServiceCode: "ec2", QuotaCode: "L-0263D0A3"},
	List:    &action.List{},
	On:      onQuotas[ListRequestedServiceQuotaChangeHistoryByQuotaInput],
	Run: func(ctx context.Context, api *API, who action.Caller, in *ListRequestedServiceQuotaChangeHistoryByQuotaInput) (*ListRequestedServiceQuotaChangeHistoryByQuotaOutput, error) {
		if err := checkLevel(in.QuotaRequestedAtLevel); err != nil {
			return nil, err
		}
		page, next, err := api.history(ctx, who, &in.ServiceCode, &in.QuotaCode, in.Status)
		return &ListRequestedServiceQuotaChangeHistoryByQuotaOutput{RequestedQuotas: page, NextToken: next}, err
	},
})
