package servicequotas

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetServiceQuotaInput names a quota.
type GetServiceQuotaInput struct {
	ContextId   *string
	QuotaCode   string
	ServiceCode string
}

// GetServiceQuotaOutput is the quota.
type GetServiceQuotaOutput struct{ Quota *ServiceQuota }

var _ = action.Add(Catalog, action.Def[*API, GetServiceQuotaInput, GetServiceQuotaOutput]{
	Name:    "GetServiceQuota",
	Doc:     "Tells what holds for the caller's account of a quota.",
	Example: GetServiceQuotaInput{ServiceCode: "ec2", QuotaCode: "L-1216C47A"},
	On:      onQuota(func(in *GetServiceQuotaInput) (string, string) { return in.ServiceCode, in.QuotaCode }),
	Run: func(ctx context.Context, api *API, who action.Caller, in *GetServiceQuotaInput) (*GetServiceQuotaOutput, error) {
		if err := noContext(in.ContextId); err != nil {
			return nil, err
		}
		q, err := quota.ByID(in.ServiceCode, in.QuotaCode)
		if err != nil {
			return nil, err
		}
		out := &GetServiceQuotaOutput{}
		err = api.Store.View(ctx, func(tx *store.Tx) error {
			b, err := quota.OfAccount(tx, who.Account, q.Name)
			out.Quota = ptr(api.shape(q, who.Account, b.Most))
			return err
		})
		return out, err
	},
})
