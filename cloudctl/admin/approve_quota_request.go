package admin

import (
	"context"

	"karri/cloudctl/quota"
	"karri/shared/action"
)

// ApproveQuotaRequestInput names the request.
type ApproveQuotaRequestInput struct{ RequestId string }

var _ = action.Add(Catalog, action.Def[*API, ApproveQuotaRequestInput, QuotaRequest]{
	Name:    "ApproveQuotaRequest",
	Doc:     "Gives an account what a request asks for, by a policy that is laid on it.",
	Example: ApproveQuotaRequestInput{RequestId: "d187537d15254312a9609aa51bbf7624u7W49tPO"},
	On:      action.AdminOnly[*API, ApproveQuotaRequestInput],
	Run: func(ctx context.Context, api *API, who action.Caller, in *ApproveQuotaRequestInput) (*QuotaRequest, error) {
		return api.decide(ctx, who, in.RequestId, quota.Approve)
	},
})
