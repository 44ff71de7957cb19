package sts

import (
	"context"

	"karri/cloudctl/rights"
	"karri/shared/action"
)

// DecodeAuthorizationMessageInput holds what a refusal of EC2 carried.
type DecodeAuthorizationMessageInput struct{ EncodedMessage string }

// DecodeAuthorizationMessageOutput is the refusal as JSON.
type DecodeAuthorizationMessageOutput struct{ DecodedMessage string }

var _ = action.Add(Catalog, action.Def[*API, DecodeAuthorizationMessageInput, DecodeAuthorizationMessageOutput]{
	Name:    "DecodeAuthorizationMessage",
	Doc:     "Tells why a request was refused: who asked for what, with which conditions, and the statement that decided.",
	Example: DecodeAuthorizationMessageInput{EncodedMessage: "zzEXAMPLE"},
	On:      action.Own[*API, DecodeAuthorizationMessageInput],
	Run: func(_ context.Context, api *API, who action.Caller, in *DecodeAuthorizationMessageInput) (*DecodeAuthorizationMessageOutput, error) {
		text, err := rights.Decode(api.Vault, who.Account, in.EncodedMessage)
		return &DecodeAuthorizationMessageOutput{DecodedMessage: text}, err
	},
})
