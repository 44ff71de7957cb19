package action

import (
	"strings"

	"karri/shared/fault"
)

// A Filter narrows a list: the thing passes when any of its values for Name
// matches any of Values.
type Filter struct {
	Name   string
	Values []string // * stands for any characters, ? for one, \ makes the next one plain
}

// limits of EC2: filters of a request, values of a filter.
const (
	maxFilters = 50
	maxValues  = 200
)

// CheckFilters refuses filters whose name is not in known, where "tag" stands
// for tag:KEY and tag-key. The catalog does this before Run for each List.
func CheckFilters(filters []Filter, known []string) error {
	if len(filters) > maxFilters {
		return fault.New(fault.Invalid, "FilterLimitExceeded", "A request may have at most %d filters.", maxFilters)
	}
	for _, f := range filters {
		if !knownFilter(f.Name, known) {
			return fault.New(fault.Invalid, "InvalidParameterValue", "The filter '%s' is invalid.", f.Name)
		}
		if len(f.Values) == 0 {
			return fault.New(fault.Invalid, "InvalidParameterValue", "The filter '%s' has no value.", f.Name)
		}
		if len(f.Values) > maxValues {
			return fault.New(fault.Invalid, "FilterLimitExceeded", "A filter may have at most %d values.", maxValues)
		}
	}
	return nil
}

func knownFilter(name string, known []string) bool {
	for _, k := range known {
		if k == name && k != "tag" {
			return true
		}
		if k == "tag" && (name == "tag-key" || name == "tag-value" || len(name) > 4 && strings.HasPrefix(name, "tag:")) {
			return true
		}
	}
	return false
}

// Match reports whether a thing passes all filters. Tags answer tag:KEY,
// tag-key and tag-value; get returns the thing's values for any other name.
func Match(filters []Filter, tags map[string]string, get func(name string) []string) bool {
	for _, f := range filters {
		if !f.matchAny(filterValues(f.Name, tags, get)) {
			return false
		}
	}
	return true
}

// Select returns the things that pass all filters, in their order.
func Select[T any](filters []Filter, things []T, tags func(T) map[string]string, get func(t T, name string) []string) []T {
	if len(filters) == 0 {
		return things
	}
	var out []T
	for _, t := range things {
		var has map[string]string
		if tags != nil {
			has = tags(t)
		}
		if Match(filters, has, func(name string) []string { return get(t, name) }) {
			out = append(out, t)
		}
	}
	return out
}

func filterValues(name string, tags map[string]string, get func(string) []string) []string {
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		if v, has := tags[key]; has {
			return []string{v}
		}
		return nil
	}
	if name != "tag-key" && name != "tag-value" {
		return get(name)
	}
	var all []string
	for k, v := range tags {
		if name == "tag-key" {
			all = append(all, k)
		} else {
			all = append(all, v)
		}
	}
	return all
}

func (f Filter) matchAny(has []string) bool {
	for _, pattern := range f.Values {
		for _, v := range has {
			if Wild(pattern, v) {
				return true
			}
		}
	}
	return false
}

// Wild reports whether s matches pattern, in which * stands for any characters,
// ? for exactly one, and \ takes the next character as it is. It takes time in
// proportion to the product of the lengths at worst.
func Wild(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && p[i] == '?':
			i, j = i+1, j+1
		case i+1 < len(p) && p[i] == '\\' && p[i+1] == t[j]:
			i, j = i+2, j+1
		case i < len(p) && p[i] == t[j] && (p[i] != '\\' || i+1 == len(p)):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
