package admin

import (
	"context"

	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/pki"
)

// CreateJoinTokenInput says for whom the token is.
type CreateJoinTokenInput struct {
	Role string  // walrus, clusterctl, blockstore or nodectl
	Zone *string // of all but walrus
	Name *string // of a nodectl
}

// CreateJoinTokenOutput is a token that lets one component in, once.
type CreateJoinTokenOutput struct{ Token string }

var _ = action.Add(Catalog, action.Def[*API, CreateJoinTokenInput, CreateJoinTokenOutput]{
	Name:    "CreateJoinToken",
	Doc:     "Makes a one-time token with which a component joins the cloud.",
	Example: CreateJoinTokenInput{Role: "nodectl", Zone: ptr("us-east-1a"), Name: ptr("node1")},
	On:      action.AdminOnly[*API, CreateJoinTokenInput],
	Run:     createJoinToken,
})

func createJoinToken(ctx context.Context, api *API, _ action.Caller, in *CreateJoinTokenInput) (*CreateJoinTokenOutput, error) {
	if in.Role == pki.Nodectl {
		if in.Zone == nil || in.Name == nil {
			return nil, fault.New(fault.Invalid, "MissingParameter", "A node needs Zone and Name.")
		}
		t, err := api.Zones.NodeToken(ctx, *in.Zone, *in.Name)
		return &CreateJoinTokenOutput{t}, err
	}
	if in.Name != nil {
		return nil, fault.New(fault.Invalid, "InvalidParameterCombination", "Only a node has a Name.")
	}
	who := pki.Identity{Role: in.Role}
	if in.Zone != nil {
		who.Zone = *in.Zone
	}
	t, err := api.Desk.NewToken(ctx, who)
	if err != nil {
		return nil, err
	}
	return &CreateJoinTokenOutput{t.String()}, nil
}

func ptr[T any](v T) *T { return &v }
