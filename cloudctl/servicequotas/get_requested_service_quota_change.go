package servicequotas

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetRequestedServiceQuotaChangeInput names a request.
type GetRequestedServiceQuotaChangeInput struct{ RequestId string }

// GetRequestedServiceQuotaChangeOutput is the request.
type GetRequestedServiceQuotaChangeOutput struct{ RequestedQuota *RequestedServiceQuotaChange }

var _ = action.Add(Catalog, action.Def[*API, GetRequestedServiceQuotaChangeInput, GetRequestedServiceQuotaChangeOutput]{
	Name:    "GetRequestedServiceQuotaChange",
	Doc:     "Tells what became of a request for more.",
	Example: GetRequestedServiceQuotaChangeInput{RequestId: "4e1a1b0c5e6f70819a2b"},
	On:      onQuotas[GetRequestedServiceQuotaChangeInput],
	Run: func(ctx context.Context, api *API, who action.Caller, in *GetRequestedServiceQuotaChangeInput) (*GetRequestedServiceQuotaChangeOutput, error) {
		out := &GetRequestedServiceQuotaChangeOutput{}
		err := api.Store.View(ctx, func(tx *store.Tx) error {
			r, err := tx.QuotaRequest(who.Account, in.RequestId)
			if err == nil {
				out.RequestedQuota = ptr(api.change(r))
			}
			return err
		})
		return out, err
	},
})
