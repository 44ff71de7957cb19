package admin

import (
	"context"

	"karri/shared/action"
)

// RotateAccountKeyInput names the account.
type RotateAccountKeyInput struct {
	AccountId string // or its name, or its alias
}

var _ = action.Add(Catalog, action.Def[*API, RotateAccountKeyInput, Credentials]{
	Name:    "RotateAccountKey",
	Doc:     "Gives an account a new access key in place of all that it has.",
	Example: RotateAccountKeyInput{AccountId: "123456789012"},
	On:      action.AdminOnly[*API, RotateAccountKeyInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *RotateAccountKeyInput) (*Credentials, error) {
		key, err := api.Accounts.RotateKey(ctx, in.AccountId)
		if err != nil {
			return nil, err
		}
		return api.credentials(key), nil
	},
})
