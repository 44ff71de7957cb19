package servicequotas

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// history returns a page of the requests of the caller's account.
func (api *API) history(ctx context.Context, who action.Caller, service, code, status *string) ([]RequestedServiceQuotaChange, *string, error) {
	if service != nil && code != nil {
		if _, err := quota.ByID(*service, *code); err != nil {
			return nil, nil, err
		}
	} else if service != nil && services[*service] == "" {
		return nil, nil, fault.New(fault.Missing, "NoSuchResourceException", "The service '%s' is not known.", *service)
	}
	var all []RequestedServiceQuotaChange
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.QuotaRequests(who.Account)
		for _, r := range rows {
			if is(service, r.Service) && is(code, r.Code) && is(status, r.Status) {
				all = append(all, api.change(&r))
			}
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return action.Page(ctx, all, func(c RequestedServiceQuotaChange) string {
		return c.Created.UTC().Format("20060102150405.000000000") + c.Id
	})
}

func is(want *string, have string) bool { return want == nil || *want == have }
