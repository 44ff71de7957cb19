package iam

import (
	"context"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListAccountAliasesInput asks for a page.
type ListAccountAliasesInput struct {
	Marker   *string
	MaxItems *int
}

// ListAccountAliasesOutput is the alias, if there is one.
type ListAccountAliasesOutput struct {
	AccountAliases []string
	IsTruncated    bool
	Marker         *string
}

var _ = action.Add(Catalog, action.Def[*API, ListAccountAliasesInput, ListAccountAliasesOutput]{
	Name: "ListAccountAliases",
	Doc:  "Lists the alias of the account.",
	On:   action.Own[*API, ListAccountAliasesInput],
	List: &action.List{},
	Run:  listAccountAliases,
})

func listAccountAliases(ctx context.Context, api *API, who action.Caller, _ *ListAccountAliasesInput) (*ListAccountAliasesOutput, error) {
	out := &ListAccountAliasesOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(who.Account)
		if err != nil {
			return err
		}
		aliases := []string{}
		if a.Alias != "" {
			aliases = append(aliases, a.Alias)
		}
		out.AccountAliases, out.Marker, err = action.Page(ctx, aliases, strings.Clone)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
