package cloudtrail

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteTrailInput names the trail.
type DeleteTrailInput struct {
	Name string // or ARN
}

var _ = action.Add(Catalog, action.Def[*API, DeleteTrailInput, action.Nothing]{
	Name:    "DeleteTrail",
	Doc:     "Ends a trail; what it has written stays.",
	Example: DeleteTrailInput{Name: "all"},
	On: func(_ context.Context, api *API, who action.Caller, in *DeleteTrailInput) ([]action.Resource, error) {
		return api.on(who, in.Name)
	},
	Run: func(ctx context.Context, api *API, who action.Caller, in *DeleteTrailInput) (*action.Nothing, error) {
		return nil, api.change(ctx, who, in.Name, func(tx *store.Tx, t *store.Trail) error { return tx.DropTrail(t) })
	},
})
