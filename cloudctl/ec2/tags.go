package ec2

import (
	"strings"
	"unicode/utf8"

	"karri/cloudctl/store"
	"karri/shared/fault"
)

// Tag is a key with its value on a resource.
type Tag struct {
	Key   *string
	Value *string // absent in DeleteTags: whatever it is
}

// TagSpecification is the tags that what an action makes shall have.
type TagSpecification struct {
	ResourceType *string
	Tags         []Tag
}

// Limits of tags, as in EC2.
const (
	maxTags     = 50
	maxTagKey   = 127
	maxTagValue = 255
)

// newTags checks the tag specifications of an action that makes resources of
// the given kinds, and returns the tags by kind.
func newTags(specs []TagSpecification, kinds ...string) (map[string][]Tag, error) {
	all := map[string][]Tag{}
	for _, s := range specs {
		kind := val(s.ResourceType)
		ok := false
		for _, k := range kinds {
			ok = ok || k == kind
		}
		if !ok {
			return nil, invalid("'%s' is not a valid taggable resource type for this operation.", kind)
		}
		if all[kind] != nil {
			return nil, invalid("The same resource type may not be specified more than once in tag specifications")
		}
		if err := checkTags(s.Tags); err != nil {
			return nil, err
		}
		all[kind] = s.Tags
	}
	return all, nil
}

func checkTags(tags []Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		key, value := val(t.Key), val(t.Value)
		switch {
		case key == "":
			return invalid("Tag keys must not be empty")
		case utf8.RuneCountInString(key) > maxTagKey:
			return invalid("Tag key exceeds the maximum length of %d characters", maxTagKey)
		case utf8.RuneCountInString(value) > maxTagValue:
			return invalid("Tag value exceeds the maximum length of %d characters", maxTagValue)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalid("Tag keys starting with 'aws:' are reserved for internal use")
		case seen[key]:
			return invalid("Duplicate tag key '%s' specified.", key)
		}
		seen[key] = true
	}
	if len(tags) > maxTags {
		return tooManyTags()
	}
	return nil
}

func tooManyTags() error {
	return fault.New(fault.Full, "TagLimitExceeded", "More than %d tags specified", maxTags)
}

// putTags hangs tags on a resource in the transaction that makes or changes it.
func putTags(tx *store.Tx, account, kind, resource string, tags []Tag) error {
	if len(tags) == 0 {
		return nil
	}
	for _, t := range tags {
		row := &store.Tag{Account: account, Resource: resource, Key: val(t.Key), Kind: kind, Value: val(t.Value)}
		if err := tx.Put(row); err != nil {
			return err
		}
	}
	now, err := tx.TagsOn(account, resource)
	if err == nil && len(now) > maxTags {
		return tooManyTags()
	}
	return err
}

// tagSet is the tags of a resource as an answer shows them.
func tagSet(tags []store.Tag) []Tag {
	set := make([]Tag, 0, len(tags))
	for _, t := range tags {
		set = append(set, Tag{Key: ptr(t.Key), Value: ptr(t.Value)})
	}
	return set
}

// tagMap is the tags of a resource as filters want them.
func tagMap(tags []store.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}
