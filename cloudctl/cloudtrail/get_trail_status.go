package cloudtrail

import (
	"context"
	"time"

	"karri/shared/action"
)

// GetTrailStatusInput names the trail.
type GetTrailStatusInput struct {
	Name string // or ARN
}

// GetTrailStatusOutput is what a trail is at.
type GetTrailStatusOutput struct {
	IsLogging                      bool
	LatestDeliveryError            *string
	LatestDeliveryTime             *time.Time
	LatestDeliveryAttemptTime      *string
	LatestDeliveryAttemptSucceeded *string
	LatestDigestDeliveryTime       *time.Time
	LatestDigestDeliveryError      *string
	StartLoggingTime               *time.Time
	StopLoggingTime                *time.Time
	TimeLoggingStarted             *string
	TimeLoggingStopped             *string
}

var _ = action.Add(Catalog, action.Def[*API, GetTrailStatusInput, GetTrailStatusOutput]{
	Name:    "GetTrailStatus",
	Doc:     "Tells whether a trail writes, and how that went last.",
	Example: GetTrailStatusInput{Name: "all"},
	On: func(_ context.Context, api *API, who action.Caller, in *GetTrailStatusInput) ([]action.Resource, error) {
		return api.on(who, in.Name)
	},
	Run: func(ctx context.Context, api *API, who action.Caller, in *GetTrailStatusInput) (*GetTrailStatusOutput, error) {
		t, err := api.look(ctx, who, in.Name)
		if err != nil {
			return nil, err
		}
		return &GetTrailStatusOutput{
			IsLogging: t.Logging, LatestDeliveryError: optional(t.Failure), LatestDeliveryTime: t.Delivered,
			LatestDeliveryAttemptTime: text(t.Tried), LatestDeliveryAttemptSucceeded: text(t.Delivered),
			LatestDigestDeliveryTime: t.DigestDelivered, LatestDigestDeliveryError: optional(t.DigestFailure), StartLoggingTime: t.Started, StopLoggingTime: t.Stopped, TimeLoggingStarted: text(t.Started), TimeLoggingStopped: text(t.Stopped),
		}, nil
	},
})

func text(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return optional(t.UTC().Format(time.RFC3339))
}
