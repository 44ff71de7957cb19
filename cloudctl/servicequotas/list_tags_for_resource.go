package servicequotas

import (
	"context"

	"karri/shared/action"
)

// ListTagsForResourceInput names a quota.
type ListTagsForResourceInput struct{ ResourceARN string }

// ListTagsForResourceOutput is always empty: quotas have no tags here.
type ListTagsForResourceOutput struct{ Tags []Tag }

// Tag is a label.
type Tag struct{ Key, Value string }

var _ = action.Add(Catalog, action.Def[*API, ListTagsForResourceInput, ListTagsForResourceOutput]{
	Name:    "ListTagsForResource",
	Doc:     "Lists the tags of a quota, of which there are none.",
	Example: ListTagsForResourceInput{ResourceARN: "arn:aws:servicequotas:us-east-1:123456789012:ec2/L-0263D0A3"},
	On:      onQuotas[ListTagsForResourceInput],
	Run: func(context.Context, *API, action.Caller, *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
		return &ListTagsForResourceOutput{}, nil
	},
})
