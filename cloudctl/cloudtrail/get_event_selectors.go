package cloudtrail

import (
	"context"

	"karri/shared/action"
)

// GetEventSelectorsInput names the trail.
type GetEventSelectorsInput struct {
	TrailName string // or ARN
}

// GetEventSelectorsOutput is what a trail writes.
type GetEventSelectorsOutput struct {
	TrailARN       string
	EventSelectors []EventSelector
}

// EventSelector is a kind of events.
type EventSelector struct {
	ReadWriteType           string
	IncludeManagementEvents bool
}

var _ = action.Add(Catalog, action.Def[*API, GetEventSelectorsInput, GetEventSelectorsOutput]{
	Name:    "GetEventSelectors",
	Doc:     "Tells which events a trail writes: all that concern management.",
	Example: GetEventSelectorsInput{TrailName: "all"},
	On: func(_ context.Context, api *API, who action.Caller, in *GetEventSelectorsInput) ([]action.Resource, error) {
		return api.on(who, in.TrailName)
	},
	Run: func(ctx context.Context, api *API, who action.Caller, in *GetEventSelectorsInput) (*GetEventSelectorsOutput, error) {
		t, err := api.look(ctx, who, in.TrailName)
		if err != nil {
			return nil, err
		}
		return &GetEventSelectorsOutput{TrailARN: t.ARN, EventSelectors: []EventSelector{{ReadWriteType: "All", IncludeManagementEvents: true}}}, nil
	},
})
