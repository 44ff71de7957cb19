package cloudtrail

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// StopLoggingInput names the trail.
type StopLoggingInput struct {
	Name string // or ARN
}

var _ = action.Add(Catalog, action.Def[*API, StopLoggingInput, action.Nothing]{
	Name:    "StopLogging",
	Doc:     "Makes a trail write no more.",
	Example: StopLoggingInput{Name: "all"},
	On: func(_ context.Context, api *API, who action.Caller, in *StopLoggingInput) ([]action.Resource, error) {
		return api.on(who, in.Name)
	},
	Run: func(ctx context.Context, api *API, who action.Caller, in *StopLoggingInput) (*action.Nothing, error) {
		return nil, api.change(ctx, who, in.Name, func(tx *store.Tx, t *store.Trail) error {
			if !t.Logging {
				return nil
			}
			now := api.Clock()
			t.Logging, t.Stopped = false, &now
			return tx.Put(t)
		})
	},
})
