package ec2

import (
	"maps"
	"slices"
	"strconv"

	"karri/shared/action"
)

// fields are the filters of a Describe: what a thing answers to each name.
// Tags need no entry.
type fields[T any] map[string]func(T) []string

// names returns the filter names for the action's definition.
func (f fields[T]) names() []string {
	return append(slices.Sorted(maps.Keys(f)), "tag")
}

// pick returns the things that pass all filters.
func (f fields[T]) pick(filters []action.Filter, things []T, tags func(T) []Tag) []T {
	return action.Select(filters, things,
		func(t T) map[string]string {
			m := map[string]string{}
			for _, tag := range tags(t) {
				m[val(tag.Key)] = val(tag.Value)
			}
			return m
		},
		func(t T, name string) []string { return f[name](t) })
}

// is is the answer of a thing that has one value; an empty one is none.
func is[S ~string](s S) []string {
	if s == "" {
		return nil
	}
	return []string{string(s)}
}

// isOpt is is for a member that may be absent.
func isOpt(s *string) []string { return is(val(s)) }

func isBool(b bool) []string { return []string{strconv.FormatBool(b)} }
func isInt(n int) []string   { return []string{strconv.Itoa(n)} }

// each is the answer of a thing with a list of parts.
func each[P any](parts []P, value func(P) string) []string {
	var all []string
	for _, p := range parts {
		all = append(all, is(value(p))...)
	}
	return all
}

// wanted returns the things whose name is listed, or missing's fault for a
// name that no thing has; all things when nothing is listed.
func wanted[T any](names []string, things []T, name func(T) string, missing func(string) error) ([]T, error) {
	if len(names) == 0 {
		return things, nil
	}
	byName := map[string]T{}
	for _, t := range things {
		byName[name(t)] = t
	}
	var out []T
	taken := map[string]bool{}
	for _, n := range names {
		t, ok := byName[n]
		if !ok {
			return nil, missing(n)
		}
		if !taken[n] {
			taken[n] = true
			out = append(out, t)
		}
	}
	return out, nil
}
