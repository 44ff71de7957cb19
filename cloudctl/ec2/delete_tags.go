package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteTagsInput takes tags from resources of the caller: those with the
// given keys, if a value is given only where it is the same; all without keys.
type DeleteTagsInput struct {
	Resources []string
	Tags      []Tag
}

var _ = action.Add(Catalog, action.Def[*API, DeleteTagsInput, action.Nothing]{
	Name:    "DeleteTags",
	Doc:     "Takes tags from resources.",
	Example: DeleteTagsInput{Resources: []string{"i-1a2b3c4d5e6f70819"}, Tags: []Tag{{Key: ptr("Name")}}},
	On:      onTagged(func(in *DeleteTagsInput) []string { return in.Resources }),
	Run:     deleteTags,
})

func deleteTags(ctx context.Context, api *API, who action.Caller, in *DeleteTagsInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		for _, r := range in.Resources {
			have, err := tx.TagsOn(who.Account, r)
			if err != nil {
				return err
			}
			for _, t := range have {
				if !names(in.Tags, t) {
					continue
				}
				if err := tx.Drop(&t); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// names reports whether a request to delete the wanted tags means this one.
func names(wanted []Tag, t store.Tag) bool {
	for _, w := range wanted {
		if val(w.Key) == t.Key && (w.Value == nil || *w.Value == t.Value) {
			return true
		}
	}
	return len(wanted) == 0
}
