package admin

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ExplainInput names a thing.
type ExplainInput struct {
	Id string // of an instance, volume, snapshot or image; of a node its name; master-key
}

// ExplainOutput is what each tier knows, from the top.
type ExplainOutput struct{ Tiers []Tier }

var _ = action.Add(Catalog, action.Def[*API, ExplainInput, ExplainOutput]{
	Name:    "Explain",
	Doc:     "Tells why a thing is in its state: what is wanted, seen, tried and waited for, tier by tier.",
	Example: ExplainInput{Id: "i-0123456789abcdef0"},
	On:      action.Own[*API, ExplainInput],
	Run: func(ctx context.Context, api *API, who action.Caller, in *ExplainInput) (*ExplainOutput, error) {
		account := who.Account
		if who.Admin {
			account = store.AnyAccount
		}
		tiers, err := api.Explain.Explain(ctx, account, in.Id)
		return &ExplainOutput{tiers}, err
	},
})
