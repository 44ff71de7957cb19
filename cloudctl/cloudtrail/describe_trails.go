package cloudtrail

import (
	"context"
	"slices"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeTrailsInput says which trails are wanted.
type DescribeTrailsInput struct {
	TrailNameList       []string // names or ARNs; all when empty
	IncludeShadowTrails *bool    // there is one region: it has none
}

// DescribeTrailsOutput lists the trails by name.
type DescribeTrailsOutput struct{ TrailList []Trail }

var _ = action.Add(Catalog, action.Def[*API, DescribeTrailsInput, DescribeTrailsOutput]{
	Name: "DescribeTrails",
	Doc:  "Lists the trails of the account.",
	List: &action.List{},
	On:   action.Own[*API, DescribeTrailsInput],
	Run: func(ctx context.Context, api *API, who action.Caller, in *DescribeTrailsInput) (*DescribeTrailsOutput, error) {
		var names []string
		for _, text := range in.TrailNameList {
			name, err := api.nameOf(who, text)
			if err != nil {
				return nil, err
			}
			names = append(names, name)
		}
		out := &DescribeTrailsOutput{}
		return out, api.Store.View(ctx, func(tx *store.Tx) error {
			all, err := tx.Trails(who.Account)
			for _, t := range all {
				if len(names) == 0 || slices.Contains(names, t.Name) {
					out.TrailList = append(out.TrailList, api.shape(&t))
				}
			}
			return err
		})
	},
})
