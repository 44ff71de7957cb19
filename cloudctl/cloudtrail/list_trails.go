package cloudtrail

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListTrailsInput asks for all trails.
type ListTrailsInput struct {
	NextToken *string
}

// ListTrailsOutput lists the trails by name.
type ListTrailsOutput struct {
	Trails    []TrailInfo
	NextToken *string
}

// TrailInfo is a trail in short.
type TrailInfo struct {
	TrailARN   string
	Name       string
	HomeRegion string
}

var _ = action.Add(Catalog, action.Def[*API, ListTrailsInput, ListTrailsOutput]{
	Name: "ListTrails",
	Doc:  "Lists the trails of the account in short.",
	List: &action.List{},
	On:   action.Own[*API, ListTrailsInput],
	Run: func(ctx context.Context, api *API, who action.Caller, _ *ListTrailsInput) (*ListTrailsOutput, error) {
		var all []store.Trail
		err := api.Store.View(ctx, func(tx *store.Tx) (err error) {
			all, err = tx.Trails(who.Account)
			return err
		})
		if err != nil {
			return nil, err
		}
		page, next, err := action.Page(ctx, all, func(t store.Trail) string { return t.Name })
		out := &ListTrailsOutput{NextToken: next}
		for _, t := range page {
			out.Trails = append(out.Trails, TrailInfo{TrailARN: t.ARN, Name: t.Name, HomeRegion: api.Region})
		}
		return out, err
	},
})
