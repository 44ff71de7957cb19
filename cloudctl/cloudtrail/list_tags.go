package cloudtrail

import (
	"context"

	"karri/shared/action"
)

// ListTagsInput names trails.
type ListTagsInput struct {
	ResourceIdList []string // ARNs
	NextToken      *string
}

// ListTagsOutput lists the tags of each.
type ListTagsOutput struct {
	ResourceTagList []ResourceTag
	NextToken       *string
}

// ResourceTag is the tags of one trail.
type ResourceTag struct {
	ResourceId string
	TagsList   []Tag
}

var _ = action.Add(Catalog, action.Def[*API, ListTagsInput, ListTagsOutput]{
	Name:    "ListTags",
	Doc:     "Lists the tags of trails.",
	Example: ListTagsInput{ResourceIdList: []string{"arn:aws:cloudtrail:us-east-1:111122223333:trail/all"}},
	List:    &action.List{},
	On: func(ctx context.Context, api *API, who action.Caller, in *ListTagsInput) (all []action.Resource, err error) {
		for _, arn := range in.ResourceIdList {
			on, err := onTrail(ctx, api, who, arn)
			if err != nil {
				return nil, err
			}
			all = append(all, on...)
		}
		return all, nil
	},
	Run: func(ctx context.Context, api *API, who action.Caller, in *ListTagsInput) (*ListTagsOutput, error) {
		out := &ListTagsOutput{}
		for _, arn := range in.ResourceIdList {
			t, err := api.look(ctx, who, arn)
			if err != nil {
				return nil, err
			}
			r := ResourceTag{ResourceId: t.ARN, TagsList: []Tag{}}
			for _, l := range t.Tags {
				r.TagsList = append(r.TagsList, Tag{Key: l.Key, Value: &l.Value})
			}
			out.ResourceTagList = append(out.ResourceTagList, r)
		}
		return out, nil
	},
})
