package sts

import (
	"context"

	"karri/shared/action"
)

// GetCallerIdentityInput is empty: the signature says who asks.
type GetCallerIdentityInput struct{}

// GetCallerIdentityOutput is who signed the request.
type GetCallerIdentityOutput struct {
	Account string
	Arn     string
	UserId  string
}

var _ = action.Add(Catalog, action.Def[*API, GetCallerIdentityInput, GetCallerIdentityOutput]{
	Name: "GetCallerIdentity",
	Doc:  "Tells the account and the name of the caller; anyone with a good key may ask.",
	On:   action.Anyone[*API, GetCallerIdentityInput],
	Run: func(_ context.Context, _ *API, who action.Caller, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
		return &GetCallerIdentityOutput{Account: who.Account, Arn: who.ARN, UserId: who.UserID}, nil
	},
})
