package admin

import (
	"context"

	"karri/shared/action"
)

// CreateAccountInput names the new account.
type CreateAccountInput struct {
	Name string // 1 to 63 small letters, digits and dashes
}

var _ = action.Add(Catalog, action.Def[*API, CreateAccountInput, Credentials]{
	Name:    "CreateAccount",
	Doc:     "Makes an account with its first access key and its default VPC.",
	Example: CreateAccountInput{Name: "physics"},
	On:      action.AdminOnly[*API, CreateAccountInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *CreateAccountInput) (*Credentials, error) {
		_, key, err := api.Accounts.Create(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		return api.credentials(key), nil
	},
})
