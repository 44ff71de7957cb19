package cloudtrail

import (
	"context"
	"fmt"
	"strings"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateTrailInput says what is to be written where.
type CreateTrailInput struct {
	Name                       string
	S3BucketName               string
	S3KeyPrefix                *string
	IncludeGlobalServiceEvents *bool
	IsMultiRegionTrail         *bool
	EnableLogFileValidation    *bool // signed digests of the files are written, an hour each
	TagsList                   []Tag
}

var _ = action.Add(Catalog, action.Def[*API, CreateTrailInput, Made]{
	Name:    "CreateTrail",
	Doc:     "Makes a trail, which writes the events of the account into a bucket once it is started.",
	Example: CreateTrailInput{Name: "all", S3BucketName: "events"},
	On: func(_ context.Context, api *API, who action.Caller, in *CreateTrailInput) ([]action.Resource, error) {
		return api.on(who, in.Name)
	},
	Run: createTrail,
})

// prove begins or ends the chain of digests of a trail. One that was ended
// begins anew.
func prove(t *store.Trail, on bool, now time.Time) {
	if t.Proven == on {
		return
	}
	t.Proven, t.DigestFrom, t.DigestTo, t.DigestObject = on, nil, nil, ""
	t.LastBucket, t.LastObject, t.LastHash, t.LastSignature = "", "", "", ""
	if on {
		now = now.UTC().Truncate(time.Second)
		t.DigestFrom = &now
	}
}

const mostTrails = 5

func createTrail(ctx context.Context, api *API, who action.Caller, in *CreateTrailInput) (*Made, error) {
	if strings.HasPrefix(in.Name, "arn:") {
		return nil, checkName(in.Name)
	}
	t := &store.Trail{ARN: api.arn(who.Account, in.Name), Account: who.Account, Name: in.Name, Bucket: in.S3BucketName, Global: true, Tags: store.Labels{}, Created: api.Clock()}
	given := UpdateTrailInput{S3KeyPrefix: in.S3KeyPrefix, IncludeGlobalServiceEvents: in.IncludeGlobalServiceEvents, IsMultiRegionTrail: in.IsMultiRegionTrail}
	if err := given.lay(t); err != nil {
		return nil, err
	}
	if in.EnableLogFileValidation != nil {
		prove(t, *in.EnableLogFileValidation, api.Clock())
	}
	if err := label(t, in.TagsList); err != nil {
		return nil, err
	}
	if err := api.admit(ctx, t); err != nil {
		return nil, err
	}
	place, err := api.Index.Place(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the index of events: %w", err)
	}
	t.Done = place
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		all, err := tx.Trails(who.Account)
		if err != nil {
			return err
		}
		if _, err := tx.Trail(who.Account, t.Name); err == nil {
			return fault.New(fault.Conflict, "TrailAlreadyExistsException", "Trail %s already exists for customer: %s", t.Name, who.Account)
		}
		if len(all) >= mostTrails {
			return fault.New(fault.Conflict, "MaximumNumberOfTrailsExceededException", "User: %s already has %d trails in %s.", who.Account, len(all), api.Region)
		}
		return tx.Add(t)
	})
	if err != nil {
		return nil, err
	}
	return made(t), nil
}
