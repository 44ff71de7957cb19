package admin

import (
	"context"

	"karri/shared/action"
)

// ForgetNodeInput names the node.
type ForgetNodeInput struct {
	NodeName string
	Zone     string
}

var _ = action.Add(Catalog, action.Def[*API, ForgetNodeInput, action.Nothing]{
	Name:    "ForgetNode",
	Doc:     "Ends the wait for a node that is gone for good, and for what was on it.",
	Example: ForgetNodeInput{NodeName: "node1", Zone: "us-east-1a"},
	On:      action.AdminOnly[*API, ForgetNodeInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *ForgetNodeInput) (*action.Nothing, error) {
		return nil, api.Zones.ForgetNode(ctx, in.Zone, in.NodeName)
	},
})
