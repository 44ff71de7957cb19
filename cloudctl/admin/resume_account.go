package admin

import (
	"context"

	"karri/shared/action"
)

// ResumeAccountInput names the account.
type ResumeAccountInput struct {
	AccountId string // or its name, or its alias
}

var _ = action.Add(Catalog, action.Def[*API, ResumeAccountInput, action.Nothing]{
	Name:    "ResumeAccount",
	Doc:     "Takes the suspension of an account back.",
	Example: ResumeAccountInput{AccountId: "123456789012"},
	On:      action.AdminOnly[*API, ResumeAccountInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *ResumeAccountInput) (*action.Nothing, error) {
		return nil, api.Accounts.Resume(ctx, in.AccountId)
	},
})
