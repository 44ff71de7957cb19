package iam

import (
	"context"
	"encoding/json"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UpdateAccountPasswordPolicyInput are the rules.
type UpdateAccountPasswordPolicyInput struct {
	MinimumPasswordLength      *int
	RequireSymbols             *bool
	RequireNumbers             *bool
	RequireUppercaseCharacters *bool
	RequireLowercaseCharacters *bool
	AllowUsersToChangePassword *bool
	MaxPasswordAge             *int
	PasswordReusePrevention    *int
	HardExpiry                 *bool
}

var _ = action.Add(Catalog, action.Def[*API, UpdateAccountPasswordPolicyInput, action.Nothing]{
	Name:    "UpdateAccountPasswordPolicy",
	Doc:     "Says what the passwords of the account must be; what is not named is not asked for.",
	Example: UpdateAccountPasswordPolicyInput{MinimumPasswordLength: ptr(12), RequireNumbers: ptr(true)},
	On:      action.Own[*API, UpdateAccountPasswordPolicyInput],
	Run:     updateAccountPasswordPolicy,
})

func updateAccountPasswordPolicy(ctx context.Context, api *API, who action.Caller, in *UpdateAccountPasswordPolicyInput) (*action.Nothing, error) {
	text, err := json.Marshal(policyOf(in))
	if err != nil {
		return nil, err
	}
	return nil, api.withAccount(ctx, who, func(_ *store.Tx, a *store.Account) error {
		a.PasswordPolicy = string(text)
		return nil
	})
}
