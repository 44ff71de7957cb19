package admin

import (
	"context"
	"time"

	"karri/shared/action"
)

// ListAccountsInput asks for all accounts.
type ListAccountsInput struct{}

// ListAccountsOutput lists the accounts by name.
type ListAccountsOutput struct{ Accounts []Account }

// Account is an account as the administrator sees it.
type Account struct {
	AccountId string
	Name      string
	Alias     *string
	State     string // active, suspended or closing
	Created   time.Time
}

var _ = action.Add(Catalog, action.Def[*API, ListAccountsInput, ListAccountsOutput]{
	Name: "ListAccounts",
	Doc:  "Lists the accounts of the cloud.",
	On:   action.AdminOnly[*API, ListAccountsInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, _ *ListAccountsInput) (*ListAccountsOutput, error) {
		rows, err := api.Accounts.List(ctx)
		out := &ListAccountsOutput{}
		for _, a := range rows {
			row := Account{AccountId: a.ID, Name: a.Name, State: string(a.State), Created: a.Created}
			if a.Alias != "" {
				row.Alias = &a.Alias
			}
			out.Accounts = append(out.Accounts, row)
		}
		return out, err
	},
})
