package iam

import (
	"context"
	"regexp"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/fault"
)

// The forms of names; how long they may be is in the model.
var (
	nameForm     = regexp.MustCompile(`^[\w+=,.@-]+$`)
	pathForm     = regexp.MustCompile(`^/([\x21-\x7e]+/)?$`)
	prefixForm   = regexp.MustCompile(`^/[\x21-\x7e]*$`)
	tagKeyForm   = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`)
	tagValueForm = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

const maxTags = 50

// validation is the fault of a parameter that does not have its form.
func validation(format string, args ...any) *fault.Fault {
	return fault.New(fault.Invalid, "ValidationError", format, args...)
}

// checkName refuses a name with characters that names may not have.
func checkName(parameter, name string) error {
	if !nameForm.MatchString(name) {
		return validation("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", parameter)
	}
	return nil
}

// checkPath returns the path that a request means: "/" when it gives none.
func checkPath(path string) (string, error) {
	if path == "" {
		return "/", nil
	}
	if !pathForm.MatchString(path) || strings.Contains(path, "//") {
		return "", validation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

// checkPrefix refuses a path prefix of a list that no path could have.
func checkPrefix(prefix string) error {
	if prefix != "" && !prefixForm.MatchString(prefix) {
		return validation("The specified value for pathPrefix is invalid. It must begin with / and contain only alphanumeric characters and/or / characters.")
	}
	return nil
}

// Tag is a label of a thing.
type Tag struct {
	Key   string
	Value string
}

// tagList shows labels; nil when there are none.
func tagList(labels store.Labels) []Tag {
	var tags []Tag
	for _, l := range labels {
		tags = append(tags, Tag(l))
	}
	return tags
}

// tagPage returns a page of labels.
func tagPage(ctx context.Context, labels store.Labels) ([]Tag, *string, error) {
	return paged(ctx, labels, func(l store.Label) string { return shortKey(l.Key, l.Key) }, func(l *store.Label) Tag { return Tag(*l) })
}

// setTags gives labels the values that a request has. Keys that differ by case
// only are the same label, which takes the new spelling.
func setTags(labels *store.Labels, tags []Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		folded := strings.ToLower(t.Key)
		switch {
		case seen[folded]:
			return fault.New(fault.Invalid, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		case !tagKeyForm.MatchString(t.Key):
			return validation("The tag key %.130q is invalid. It may have letters, numbers, spaces and _.:/=+-@ only.", t.Key)
		case strings.HasPrefix(folded, "aws:"):
			return fault.New(fault.Invalid, "InvalidInput", "Tag keys that begin with aws: are reserved for system use.")
		case !tagValueForm.MatchString(t.Value):
			return validation("The value of the tag %s is invalid. It may have letters, numbers, spaces and _.:/=+-@ only.", t.Key)
		}
		seen[folded] = true
		dropTag(labels, t.Key)
		labels.Set(t.Key, t.Value)
	}
	if len(*labels) > maxTags {
		return fault.New(fault.Full, "LimitExceeded", "The number of tags has reached the maximum limit of %d.", maxTags)
	}
	return nil
}

// dropTag takes a label away, however its key is spelled.
func dropTag(labels *store.Labels, key string) {
	for _, l := range *labels {
		if strings.EqualFold(l.Key, key) {
			labels.Drop(l.Key)
			return
		}
	}
}
