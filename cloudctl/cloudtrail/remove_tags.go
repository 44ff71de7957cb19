package cloudtrail

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// RemoveTagsInput says what is to be taken from which trail.
type RemoveTagsInput struct {
	ResourceId string // ARN
	TagsList   []Tag
}

var _ = action.Add(Catalog, action.Def[*API, RemoveTagsInput, action.Nothing]{
	Name:    "RemoveTags",
	Doc:     "Takes tags from a trail.",
	Example: RemoveTagsInput{ResourceId: "arn:aws:cloudtrail:us-east-1:111122223333:trail/all", TagsList: []Tag{{Key: "team"}}},
	On: func(ctx context.Context, api *API, who action.Caller, in *RemoveTagsInput) ([]action.Resource, error) {
		return onTrail(ctx, api, who, in.ResourceId)
	},
	Run: func(ctx context.Context, api *API, who action.Caller, in *RemoveTagsInput) (*action.Nothing, error) {
		return nil, api.change(ctx, who, in.ResourceId, func(tx *store.Tx, t *store.Trail) error {
			for _, tag := range in.TagsList {
				t.Tags = without(t.Tags, tag.Key)
			}
			return tx.Put(t)
		})
	},
})
