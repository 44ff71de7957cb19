package servicequotas

import (
	"context"

	"karri/cloudctl/quota"
	"karri/shared/action"
)

// GetAWSDefaultServiceQuotaInput names a quota.
type GetAWSDefaultServiceQuotaInput struct {
	QuotaCode   string
	ServiceCode string
}

// GetAWSDefaultServiceQuotaOutput is the quota.
type GetAWSDefaultServiceQuotaOutput struct{ Quota *ServiceQuota }

var _ = action.Add(Catalog, action.Def[*API, GetAWSDefaultServiceQuotaInput, GetAWSDefaultServiceQuotaOutput]{
	Name:    "GetAWSDefaultServiceQuota",
	Doc:     "Tells what holds of a quota where nothing else was decided.",
	Example: GetAWSDefaultServiceQuotaInput{ServiceCode: "ec2", QuotaCode: "L-1216C47A"},
	On:      onQuota(func(in *GetAWSDefaultServiceQuotaInput) (string, string) { return in.ServiceCode, in.QuotaCode }),
	Run: func(_ context.Context, api *API, who action.Caller, in *GetAWSDefaultServiceQuotaInput) (*GetAWSDefaultServiceQuotaOutput, error) {
		q, err := quota.ByID(in.ServiceCode, in.QuotaCode)
		if err != nil {
			return nil, err
		}
		return &GetAWSDefaultServiceQuotaOutput{Quota: ptr(api.shape(q, who.Account, q.Default))}, nil
	},
})
