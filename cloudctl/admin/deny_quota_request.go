package admin

import (
	"context"

	"karri/cloudctl/quota"
	"karri/shared/action"
)

// DenyQuotaRequestInput names the request.
type DenyQuotaRequestInput struct{ RequestId string }

var _ = action.Add(Catalog, action.Def[*API, DenyQuotaRequestInput, QuotaRequest]{
	Name:    "DenyQuotaRequest",
	Doc:     "Answers a request for more with no.",
	Example: DenyQuotaRequestInput{RequestId: "d187537d15254312a9609aa51bbf7624u7W49tPO"},
	On:      action.AdminOnly[*API, DenyQuotaRequestInput],
	Run: func(ctx context.Context, api *API, who action.Caller, in *DenyQuotaRequestInput) (*QuotaRequest, error) {
		return api.decide(ctx, who, in.RequestId, quota.Deny)
	},
})
