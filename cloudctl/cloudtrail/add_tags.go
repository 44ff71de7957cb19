package cloudtrail

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// AddTagsInput says what is to be added to which trail.
type AddTagsInput struct {
	ResourceId string // ARN
	TagsList   []Tag
}

var _ = action.Add(Catalog, action.Def[*API, AddTagsInput, action.Nothing]{
	Name:    "AddTags",
	Doc:     "Adds tags to a trail.",
	Example: AddTagsInput{ResourceId: "arn:aws:cloudtrail:us-east-1:111122223333:trail/all", TagsList: []Tag{{Key: "team"}}},
	On: func(ctx context.Context, api *API, who action.Caller, in *AddTagsInput) ([]action.Resource, error) {
		return onTrail(ctx, api, who, in.ResourceId)
	},
	Run: func(ctx context.Context, api *API, who action.Caller, in *AddTagsInput) (*action.Nothing, error) {
		return nil, api.change(ctx, who, in.ResourceId, func(tx *store.Tx, t *store.Trail) error {
			if err := label(t, in.TagsList); err != nil {
				return err
			}
			return tx.Put(t)
		})
	},
})
