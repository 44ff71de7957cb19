package iam

import (
	"context"
	"regexp"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateAccountAliasInput is the alias.
type CreateAccountAliasInput struct {
	AccountAlias string
}

var _ = action.Add(Catalog, action.Def[*API, CreateAccountAliasInput, action.Nothing]{
	Name:    "CreateAccountAlias",
	Doc:     "Gives the account a name of its own choice, in place of the one before.",
	Example: CreateAccountAliasInput{AccountAlias: "physics"},
	On:      action.Own[*API, CreateAccountAliasInput],
	Run:     createAccountAlias,
})

func createAccountAlias(ctx context.Context, api *API, who action.Caller, in *CreateAccountAliasInput) (*action.Nothing, error) {
	if !aliasForm.MatchString(in.AccountAlias) || idForm.MatchString(in.AccountAlias) {
		return nil, validation("The specified value for accountAlias is invalid. It must have small letters, digits and dashes, begin and end with no dash, have no two dashes in a row, and not be twelve digits.")
	}
	return nil, api.withAccount(ctx, who, func(tx *store.Tx, a *store.Account) error {
		if other, err := tx.AccountCalled(in.AccountAlias); err == nil && other.ID != a.ID {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "The account alias %s already exists.", in.AccountAlias)
		}
		a.Alias = in.AccountAlias
		return nil
	})
}

var (
	aliasForm = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)
	idForm    = regexp.MustCompile(`^[0-9]{12}$`) // of an account
)
