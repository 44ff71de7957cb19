package setting

import (
	"slices"
	"strings"
)

// Filter says which objects a rule is about: at most one thing, or several
// under And.
type Filter struct {
	Prefix                *string
	Tag                   *Tag
	ObjectSizeGreaterThan *int64
	ObjectSizeLessThan    *int64
	And                   *And
}

// And is a filter of several things that all must hold.
type And struct {
	Prefix                *string
	Tags                  []Tag `xml:"Tag,omitempty"`
	ObjectSizeGreaterThan *int64
	ObjectSizeLessThan    *int64
}

// all returns the filter in the form that has room for everything.
func (f *Filter) all() And {
	switch {
	case f == nil:
		return And{}
	case f.And != nil:
		return *f.And
	}
	a := And{Prefix: f.Prefix, ObjectSizeGreaterThan: f.ObjectSizeGreaterThan, ObjectSizeLessThan: f.ObjectSizeLessThan}
	if f.Tag != nil {
		a.Tags = []Tag{*f.Tag}
	}
	return a
}

// count returns how many things are asked for.
func (a And) count() int {
	n := len(a.Tags)
	for _, there := range []bool{a.Prefix != nil, a.ObjectSizeGreaterThan != nil, a.ObjectSizeLessThan != nil} {
		if there {
			n++
		}
	}
	return n
}

func (f *Filter) validate() error {
	if f == nil {
		return nil
	}
	alone := *f
	alone.And = nil
	single := alone.all().count()
	if single > 1 || f.And != nil && (single > 0 || f.And.count() < 2) {
		return MalformedXML
	}
	a := f.all()
	if err := checkTags(a.Tags); err != nil {
		return err
	}
	more, less := a.ObjectSizeGreaterThan, a.ObjectSizeLessThan
	switch {
	case a.Prefix != nil && len(*a.Prefix) > 1024:
		return invalidRequest("The maximum size of a prefix is 1024.")
	case more != nil && *more < 0:
		return invalidRequest("'ObjectSizeGreaterThan' must be a positive integer.")
	case less != nil && *less < 1:
		return invalidRequest("'ObjectSizeLessThan' must be a positive integer.")
	case more != nil && less != nil && *less <= *more+1:
		return invalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")
	}
	return nil
}

// matches reports whether an object is one of those. One of no known size (a
// delete marker) is of every size.
func (a And) matches(key string, size int64, tags []Tag) bool {
	switch {
	case a.Prefix != nil && !strings.HasPrefix(key, *a.Prefix),
		size >= 0 && a.ObjectSizeGreaterThan != nil && size <= *a.ObjectSizeGreaterThan,
		size >= 0 && a.ObjectSizeLessThan != nil && size >= *a.ObjectSizeLessThan:
		return false
	}
	return !slices.ContainsFunc(a.Tags, func(t Tag) bool { return !slices.Contains(tags, t) })
}
