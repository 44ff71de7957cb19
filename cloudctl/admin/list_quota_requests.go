package admin

import (
	"context"
	"time"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListQuotaRequestsInput narrows the list.
type ListQuotaRequestsInput struct {
	AccountId *string // or its name, or its alias
	Status    *string `enum:"PENDING APPROVED DENIED"`
}

// ListQuotaRequestsOutput lists requests, the oldest first.
type ListQuotaRequestsOutput struct{ Requests []QuotaRequest }

// QuotaRequest is a wish for more, and what became of it.
type QuotaRequest struct {
	RequestId string
	AccountId string
	Service   string
	Code      string
	Name      string
	Desired   int64
	Status    string
	Requester string
	DecidedBy string
	Created   time.Time
	Updated   time.Time
}

var _ = action.Add(Catalog, action.Def[*API, ListQuotaRequestsInput, ListQuotaRequestsOutput]{
	Name:    "ListQuotaRequests",
	Doc:     "Lists what accounts asked to have more of.",
	Example: ListQuotaRequestsInput{Status: new(quota.Pending)},
	On:      action.AdminOnly[*API, ListQuotaRequestsInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *ListQuotaRequestsInput) (*ListQuotaRequestsOutput, error) {
		account, err := api.called(ctx, in.AccountId, store.AnyAccount)
		if err != nil {
			return nil, err
		}
		out := &ListQuotaRequestsOutput{}
		err = api.Accounts.Store.View(ctx, func(tx *store.Tx) error {
			rows, err := tx.QuotaRequests(account)
			for _, r := range rows {
				if in.Status == nil || *in.Status == r.Status {
					out.Requests = append(out.Requests, *requestShape(&r))
				}
			}
			return err
		})
		return out, err
	},
})

func requestShape(r *store.QuotaRequest) *QuotaRequest {
	out := &QuotaRequest{RequestId: r.ID, AccountId: r.Account, Service: r.Service, Code: r.Code, Desired: r.Desired, Status: r.Status,
		Requester: r.Requester, DecidedBy: r.DecidedBy, Created: r.Created, Updated: r.Updated}
	if q, err := quota.ByID(r.Service, r.Code); err == nil {
		out.Name = q.Title
	}
	return out
}

// decide answers a request in one transaction and wakes the loop that tells walrus.
func (api *API) decide(ctx context.Context, who action.Caller, request string, how func(tx *store.Tx, request, by string, now time.Time) (*store.QuotaRequest, error)) (*QuotaRequest, error) {
	var r *store.QuotaRequest
	err := api.Accounts.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		r, err = how(tx, request, who.ARN, api.Clock())
		return err
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return requestShape(r), nil
}
