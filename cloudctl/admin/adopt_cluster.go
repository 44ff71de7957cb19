package admin

import (
	"context"

	"karri/shared/action"
)

// AdoptClusterInput names the zone.
type AdoptClusterInput struct {
	Zone string
}

var _ = action.Add(Catalog, action.Def[*API, AdoptClusterInput, action.Nothing]{
	Name:    "AdoptCluster",
	Doc:     "After a restore from an old copy, takes what runs in a zone as it is and goes on from there.",
	Example: AdoptClusterInput{Zone: "us-east-1a"},
	On:      action.AdminOnly[*API, AdoptClusterInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *AdoptClusterInput) (*action.Nothing, error) {
		return nil, api.Zones.Adopt(ctx, in.Zone)
	},
})
