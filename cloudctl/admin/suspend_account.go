package admin

import (
	"context"

	"karri/shared/action"
)

// SuspendAccountInput names the account.
type SuspendAccountInput struct {
	AccountId string // or its name, or its alias
}

var _ = action.Add(Catalog, action.Def[*API, SuspendAccountInput, action.Nothing]{
	Name:    "SuspendAccount",
	Doc:     "Refuses the keys of an account; what it has stays.",
	Example: SuspendAccountInput{AccountId: "123456789012"},
	On:      action.AdminOnly[*API, SuspendAccountInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *SuspendAccountInput) (*action.Nothing, error) {
		return nil, api.Accounts.Suspend(ctx, in.AccountId)
	},
})
