package cloudtrail

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// UpdateTrailInput says what is to change; what is absent stays.
type UpdateTrailInput struct {
	Name                       string // or ARN
	S3BucketName               *string
	S3KeyPrefix                *string
	IncludeGlobalServiceEvents *bool
	IsMultiRegionTrail         *bool
	EnableLogFileValidation    *bool
}

var _ = action.Add(Catalog, action.Def[*API, UpdateTrailInput, Made]{
	Name:    "UpdateTrail",
	Doc:     "Changes where a trail writes.",
	Example: UpdateTrailInput{Name: "all"},
	On: func(_ context.Context, api *API, who action.Caller, in *UpdateTrailInput) ([]action.Resource, error) {
		return api.on(who, in.Name)
	},
	Run: updateTrail,
})

// lay changes what is given of a trail but its digests.
func (in *UpdateTrailInput) lay(t *store.Trail) error {
	if in.S3BucketName != nil {
		t.Bucket = *in.S3BucketName
	}
	if in.S3KeyPrefix != nil {
		t.Prefix = *in.S3KeyPrefix
	}
	if in.IncludeGlobalServiceEvents != nil {
		t.Global = *in.IncludeGlobalServiceEvents
	}
	if in.IsMultiRegionTrail != nil {
		t.Every = *in.IsMultiRegionTrail
	}
	if t.Every && !t.Global {
		return fault.New(fault.Invalid, "InvalidParameterCombinationException", "Multi-Region trail must include global service events.")
	}
	return nil
}

func updateTrail(ctx context.Context, api *API, who action.Caller, in *UpdateTrailInput) (*Made, error) {
	t, err := api.look(ctx, who, in.Name)
	if err != nil {
		return nil, err
	}
	if err := in.lay(t); err != nil {
		return nil, err
	}
	if in.S3BucketName != nil || in.S3KeyPrefix != nil {
		if err := api.admit(ctx, t); err != nil {
			return nil, err
		}
	}
	var out *Made
	err = api.change(ctx, who, in.Name, func(tx *store.Tx, t *store.Trail) error {
		if err := in.lay(t); err != nil {
			return err
		}
		if on := in.EnableLogFileValidation; on != nil && *on != t.Proven {
			prove(t, *on, api.Clock())
			if err := tx.Undigest(t.ARN); err != nil {
				return err
			}
		}
		t.Object, t.UpTo = "", 0 // what was being written goes to the new place
		out = made(t)
		return tx.Put(t)
	})
	return out, err
}
