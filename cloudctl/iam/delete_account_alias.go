package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// DeleteAccountAliasInput is the alias.
type DeleteAccountAliasInput struct {
	AccountAlias string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteAccountAliasInput, action.Nothing]{
	Name:    "DeleteAccountAlias",
	Doc:     "Takes the alias from the account.",
	Example: DeleteAccountAliasInput{AccountAlias: "physics"},
	On:      action.Own[*API, DeleteAccountAliasInput],
	Run:     deleteAccountAlias,
})

func deleteAccountAlias(ctx context.Context, api *API, who action.Caller, in *DeleteAccountAliasInput) (*action.Nothing, error) {
	return nil, api.withAccount(ctx, who, func(_ *store.Tx, a *store.Account) error {
		if a.Alias != in.AccountAlias {
			return fault.New(fault.Missing, "NoSuchEntity", "The account alias %s does not exist.", in.AccountAlias)
		}
		a.Alias = ""
		return nil
	})
}
