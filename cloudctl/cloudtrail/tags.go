package cloudtrail

import (
	"context"
	"slices"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// Tag is a label of a trail.
type Tag struct {
	Key   string
	Value *string
}

const mostTags = 50

// label adds tags to a trail.
func label(t *store.Trail, tags []Tag) error {
	for _, tag := range tags {
		value := ""
		if tag.Value != nil {
			value = *tag.Value
		}
		if tag.Key == "" || len(tag.Key) > 128 || len(value) > 256 {
			return fault.New(fault.Invalid, "InvalidTagParameterException", "The key of a tag has 1 to 128 characters, its value at most 256.")
		}
		t.Tags = append(without(t.Tags, tag.Key), store.Label{Key: tag.Key, Value: value})
	}
	if len(t.Tags) > mostTags {
		return fault.New(fault.Invalid, "TagsLimitExceededException", "A trail has at most %d tags.", mostTags)
	}
	return nil
}

// without returns tags but the one with a key.
func without(tags store.Labels, key string) store.Labels {
	return slices.DeleteFunc(slices.Clone(tags), func(l store.Label) bool { return l.Key == key })
}

// onTrail is the On of an action that names a trail by ARN.
func onTrail(_ context.Context, api *API, who action.Caller, arn string) ([]action.Resource, error) {
	return api.on(who, arn)
}
