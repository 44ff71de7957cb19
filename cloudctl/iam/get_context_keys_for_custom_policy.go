package iam

import (
	"context"

	"karri/shared/action"
)

// GetContextKeysForCustomPolicyInput holds policies.
type GetContextKeysForCustomPolicyInput struct{ PolicyInputList []string }

// GetContextKeysOutput names condition keys.
type GetContextKeysOutput struct{ ContextKeyNames []string }

var _ = action.Add(Catalog, action.Def[*API, GetContextKeysForCustomPolicyInput, GetContextKeysOutput]{
	Name: "GetContextKeysForCustomPolicy",
	Doc:  "Lists the condition keys that policies ask for.",
	Example: GetContextKeysForCustomPolicyInput{PolicyInputList: []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`}},
	On: action.Own[*API, GetContextKeysForCustomPolicyInput],
	Run: func(_ context.Context, _ *API, _ action.Caller, in *GetContextKeysForCustomPolicyInput) (*GetContextKeysOutput, error) {
		docs, err := documents("PolicyInputList", in.PolicyInputList)
		return &GetContextKeysOutput{ContextKeyNames: contextKeys(docs)}, err
	},
})
