package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/identity"
)

// GetContextKeysForPrincipalPolicyInput names a user, group or role, and
// further policies.
type GetContextKeysForPrincipalPolicyInput struct {
	PolicyInputList []string
	PolicySourceArn string
}

var _ = action.Add(Catalog, action.Def[*API, GetContextKeysForPrincipalPolicyInput, GetContextKeysOutput]{
	Name:    "GetContextKeysForPrincipalPolicy",
	Doc:     "Lists the condition keys that the policies of a user, group or role ask for.",
	Example: GetContextKeysForPrincipalPolicyInput{PolicySourceArn: "arn:aws:iam::111122223333:user/ada"},
	On:      onSource(func(in *GetContextKeysForPrincipalPolicyInput) string { return in.PolicySourceArn }),
	Run: func(ctx context.Context, api *API, who action.Caller, in *GetContextKeysForPrincipalPolicyInput) (*GetContextKeysOutput, error) {
		docs, err := documents("PolicyInputList", in.PolicyInputList)
		if err != nil {
			return nil, err
		}
		var i *identity.Identity
		err = api.Store.View(ctx, func(tx *store.Tx) (err error) {
			i, err = source(tx, who.Account, in.PolicySourceArn)
			return err
		})
		if err != nil {
			return nil, err
		}
		return &GetContextKeysOutput{ContextKeyNames: contextKeys(append(i.Documents(), docs...))}, nil
	},
})
