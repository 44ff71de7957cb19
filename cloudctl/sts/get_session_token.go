package sts

import (
	"context"

	"karri/cloudctl/session"
	"karri/shared/action"
)

// GetSessionTokenInput says how long, and may show a second factor.
type GetSessionTokenInput struct {
	DurationSeconds *int // absent: twelve hours, of the account's root one
	SerialNumber    *string
	TokenCode       *string
}

// GetSessionTokenOutput is the session.
type GetSessionTokenOutput struct{ Credentials *Credentials }

var _ = action.Add(Catalog, action.Def[*API, GetSessionTokenInput, GetSessionTokenOutput]{
	Name:    "GetSessionToken",
	Doc:     "Gives a user credentials for a time that may what the user may; with the code of an MFA device they prove the second factor.",
	Example: GetSessionTokenInput{DurationSeconds: ptr(3600)},
	On:      action.Anyone[*API, GetSessionTokenInput],
	Run:     getSessionToken,
})

func getSessionToken(ctx context.Context, api *API, who action.Caller, in *GetSessionTokenInput) (*GetSessionTokenOutput, error) {
	if err := longLived(who, "GetSessionToken"); err != nil {
		return nil, err
	}
	shown, err := factor{in.SerialNumber, in.TokenCode}.take(ctx, api, who)
	if err != nil {
		return nil, err
	}
	id := who.Rights.Identity
	c, err := api.Sessions.Issue(session.Claims{Kind: id.Kind, Account: id.Account, Holder: id.ID, MFA: shown}, lifeOf(who, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &GetSessionTokenOutput{Credentials: show(c)}, nil
}
