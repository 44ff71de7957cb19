package cloudtrail

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// StartLoggingInput names the trail.
type StartLoggingInput struct {
	Name string // or ARN
}

var _ = action.Add(Catalog, action.Def[*API, StartLoggingInput, action.Nothing]{
	Name:    "StartLogging",
	Doc:     "Makes a trail write what comes from now on.",
	Example: StartLoggingInput{Name: "all"},
	On: func(_ context.Context, api *API, who action.Caller, in *StartLoggingInput) ([]action.Resource, error) {
		return api.on(who, in.Name)
	},
	Run: func(ctx context.Context, api *API, who action.Caller, in *StartLoggingInput) (*action.Nothing, error) {
		place, err := api.Index.Place(ctx)
		if err != nil {
			return nil, err
		}
		return nil, api.change(ctx, who, in.Name, func(tx *store.Tx, t *store.Trail) error {
			if t.Logging {
				return nil
			}
			now := api.Clock()
			if t.Logging, t.Started = true, &now; t.Object == "" {
				t.Done = place
			}
			return tx.Put(t)
		})
	},
})
