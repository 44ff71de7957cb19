package admin

import (
	"context"

	"karri/shared/action"
)

// DeleteAccountInput names the account.
type DeleteAccountInput struct {
	AccountId string // or its name, or its alias
}

var _ = action.Add(Catalog, action.Def[*API, DeleteAccountInput, action.Nothing]{
	Name:    "DeleteAccount",
	Doc:     "Deletes an account that has nothing left.",
	Example: DeleteAccountInput{AccountId: "123456789012"},
	On:      action.AdminOnly[*API, DeleteAccountInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *DeleteAccountInput) (*action.Nothing, error) {
		return nil, api.Accounts.Delete(ctx, in.AccountId)
	},
})
