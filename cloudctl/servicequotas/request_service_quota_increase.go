package servicequotas

import (
	"context"
	"encoding/json"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// RequestServiceQuotaIncreaseInput says how much is wanted.
type RequestServiceQuotaIncreaseInput struct {
	ContextId    *string
	DesiredValue float64
	QuotaCode    string
	ServiceCode  string
}

// RequestServiceQuotaIncreaseOutput is the request.
type RequestServiceQuotaIncreaseOutput struct{ RequestedQuota *RequestedServiceQuotaChange }

var _ = action.Add(Catalog, action.Def[*API, RequestServiceQuotaIncreaseInput, RequestServiceQuotaIncreaseOutput]{
	Name:    "RequestServiceQuotaIncrease",
	Doc:     "Asks the administrator for more than a quota allows.",
	Example: RequestServiceQuotaIncreaseInput{ServiceCode: "ec2", QuotaCode: "L-0263D0A3", DesiredValue: 40},
	On:      onQuota(func(in *RequestServiceQuotaIncreaseInput) (string, string) { return in.ServiceCode, in.QuotaCode }),
	Run: func(ctx context.Context, api *API, who action.Caller, in *RequestServiceQuotaIncreaseInput) (*RequestServiceQuotaIncreaseOutput, error) {
		if err := noContext(in.ContextId); err != nil {
			return nil, err
		}
		q, err := quota.ByID(in.ServiceCode, in.QuotaCode)
		if err != nil {
			return nil, err
		}
		desired := int64(in.DesiredValue)
		if in.DesiredValue < 0 || in.DesiredValue > 1e15 || float64(desired) != in.DesiredValue {
			return nil, fault.New(fault.Invalid, "IllegalArgumentException", "The desired value is not a whole number from 0 to 10^15.")
		}
		requester, err := json.Marshal(map[string]string{"accountId": who.Account, "callerArn": who.ARN})
		if err != nil {
			return nil, err
		}
		out := &RequestServiceQuotaIncreaseOutput{}
		err = api.Store.InTx(ctx, func(tx *store.Tx) error {
			r, err := quota.Ask(tx, who, q, desired, string(requester), api.Clock())
			if err == nil {
				out.RequestedQuota = ptr(api.change(r))
			}
			return err
		})
		return out, err
	},
})

// noContext refuses what asks for the quota of one resource.
func noContext(id *string) error {
	if id != nil && *id != "" {
		return fault.New(fault.Invalid, "IllegalArgumentException", "The quotas of this cloud are those of accounts, not of single resources.")
	}
	return nil
}
