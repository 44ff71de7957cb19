package sts

import (
	"context"

	"karri/cloudctl/session"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/identity"
)

// GetFederationTokenInput describes the federated user.
type GetFederationTokenInput struct {
	Name            string
	Policy          *string
	PolicyArns      []PolicyDescriptorType
	DurationSeconds *int // absent: twelve hours, of the account's root one
	Tags            []Tag
}

// GetFederationTokenOutput is the session.
type GetFederationTokenOutput struct {
	Credentials      *Credentials
	FederatedUser    *FederatedUser
	PackedPolicySize *int
}

// FederatedUser is somebody whom a user vouches for.
type FederatedUser struct {
	FederatedUserId string
	Arn             string
}

var _ = action.Add(Catalog, action.Def[*API, GetFederationTokenInput, GetFederationTokenOutput]{
	Name:    "GetFederationToken",
	Doc:     "Gives credentials for a time to somebody whom the calling user vouches for: they may what the user may and the given policies allow, nothing else.",
	Example: GetFederationTokenInput{Name: "guest", PolicyArns: []PolicyDescriptorType{{Arn: ptr("arn:aws:iam::aws:policy/ReadOnlyAccess")}}},
	On: func(_ context.Context, _ *API, who action.Caller, in *GetFederationTokenInput) ([]action.Resource, error) {
		r := action.Resource{ARN: session.FederatedARN(who.Account, in.Name), Owner: who.Account}
		return tagging([]action.Resource{r}, len(in.Tags) > 0), nil
	},
	Run: getFederationToken,
})

func getFederationToken(ctx context.Context, api *API, who action.Caller, in *GetFederationTokenInput) (*GetFederationTokenOutput, error) {
	if err := longLived(who, "GetFederationToken"); err != nil {
		return nil, err
	}
	if !nameForm.MatchString(in.Name) {
		return nil, validation("The name %.50q is invalid. It may have letters, numbers and +=,.@_- only.", in.Name)
	}
	id := who.Rights.Identity
	c := session.Claims{Kind: identity.Federated, Account: id.Account, Holder: id.ID, Name: in.Name}
	if err := label(&c, in.Tags, nil); err != nil {
		return nil, err
	}
	if err := api.Store.View(ctx, func(tx *store.Tx) error { return narrow(tx, &c, in.Policy, in.PolicyArns) }); err != nil {
		return nil, err
	}
	size, err := packed(&c)
	if err != nil {
		return nil, err
	}
	given, err := api.Sessions.Issue(c, lifeOf(who, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &GetFederationTokenOutput{
		Credentials: show(given), PackedPolicySize: size,
		FederatedUser: &FederatedUser{FederatedUserId: id.Account + ":" + in.Name, Arn: session.FederatedARN(id.Account, in.Name)},
	}, nil
}

// tagging asks for the permission to give tags, too, on each of the resources.
func tagging(on []action.Resource, tags bool) []action.Resource {
	if !tags {
		return on
	}
	r := on[0]
	r.Permission = "sts:TagSession"
	return append(on, r)
}
