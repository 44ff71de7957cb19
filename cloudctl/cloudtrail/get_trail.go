package cloudtrail

import (
	"context"

	"karri/shared/action"
)

// GetTrailInput names the trail.
type GetTrailInput struct {
	Name string // or ARN
}

// GetTrailOutput is the trail.
type GetTrailOutput struct{ Trail Trail }

var _ = action.Add(Catalog, action.Def[*API, GetTrailInput, GetTrailOutput]{
	Name:    "GetTrail",
	Doc:     "Shows a trail.",
	Example: GetTrailInput{Name: "all"},
	On: func(_ context.Context, api *API, who action.Caller, in *GetTrailInput) ([]action.Resource, error) {
		return api.on(who, in.Name)
	},
	Run: func(ctx context.Context, api *API, who action.Caller, in *GetTrailInput) (*GetTrailOutput, error) {
		t, err := api.look(ctx, who, in.Name)
		if err != nil {
			return nil, err
		}
		return &GetTrailOutput{api.shape(t)}, nil
	},
})
