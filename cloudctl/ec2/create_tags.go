package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// CreateTagsInput hangs tags on resources of the caller.
type CreateTagsInput struct {
	Resources []string
	Tags      []Tag
}

var _ = action.Add(Catalog, action.Def[*API, CreateTagsInput, action.Nothing]{
	Name:    "CreateTags",
	Doc:     "Hangs tags on resources, in place of those with the same keys.",
	Example: CreateTagsInput{Resources: []string{"i-1a2b3c4d5e6f70819"}, Tags: []Tag{{Key: ptr("Name"), Value: ptr("web")}}},
	On:      onTagged(func(in *CreateTagsInput) []string { return in.Resources }),
	Run:     createTags,
})

func createTags(ctx context.Context, api *API, who action.Caller, in *CreateTagsInput) (*action.Nothing, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, lacking("tagSet")
	}
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		for _, r := range in.Resources {
			kind, err := taggable(tx, who.Account, r)
			if err != nil {
				return err
			}
			if err := putTags(tx, who.Account, kind, r, in.Tags); err != nil {
				return err
			}
		}
		return nil
	})
}
