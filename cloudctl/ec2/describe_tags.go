package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeTagsInput narrows the list of tags.
type DescribeTagsInput struct {
	Filters    []action.Filter
	MaxResults *int
	NextToken  *string
}

// DescribeTagsOutput is a page of tags.
type DescribeTagsOutput struct {
	Tags      []TagDescription
	NextToken *string
}

// TagDescription is a tag with what it hangs on.
type TagDescription struct {
	Key          string
	ResourceId   string
	ResourceType string
	Value        string
}

var tagFields = fields[TagDescription]{
	"key":           func(t TagDescription) []string { return is(t.Key) },
	"resource-id":   func(t TagDescription) []string { return is(t.ResourceId) },
	"resource-type": func(t TagDescription) []string { return is(t.ResourceType) },
	"value":         func(t TagDescription) []string { return []string{t.Value} },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeTagsInput, DescribeTagsOutput]{
	Name:    "DescribeTags",
	Doc:     "Lists tags and what they hang on.",
	Example: DescribeTagsInput{Filters: []action.Filter{{Name: "resource-id", Values: []string{"i-1a2b3c4d5e6f70819"}}}},
	On:      action.Own[*API, DescribeTagsInput],
	List:    &action.List{Filters: tagFields.names()},
	Run: func(ctx context.Context, api *API, who action.Caller, in *DescribeTagsInput) (*DescribeTagsOutput, error) {
		all := []TagDescription{}
		err := api.Store.View(ctx, func(tx *store.Tx) error {
			tags, err := tx.TagsOf(who.Account)
			for _, on := range tags {
				for _, t := range on {
					all = append(all, TagDescription{Key: t.Key, ResourceId: t.Resource, ResourceType: t.Kind, Value: t.Value})
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		all = tagFields.pick(in.Filters, all, func(t TagDescription) []Tag { return []Tag{{Key: &t.Key, Value: &t.Value}} })
		page, next, err := action.Page(ctx, all, func(t TagDescription) string { return t.ResourceId + "\x00" + t.Key })
		return &DescribeTagsOutput{Tags: page, NextToken: next}, err
	},
})
