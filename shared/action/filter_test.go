package action

import (
	"testing"

	"karri/shared/fault"
)

func TestWild(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"a*", "abc", true}, {"*c", "abc", true},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"a**b*", "axxbyy", true}, {"*a*b", "aab", true},
		{`a\*`, "a*", true}, {`a\*`, "ab", false}, {`\`, `\`, true}, {`a\`, "a", false}, {`\?`, "x", false},
		{"ö?", "öß", true}, {"web-*-?", "web-1-22", false}, {"abc", "abd", false},
	} {
		if got := Wild(c.pattern, c.s); got != c.want {
			t.Errorf("%q matches %q: got %v", c.pattern, c.s, got)
		}
	}
}

func FuzzWildMatchesItself(f *testing.F) {
	f.Add(`a*b?\`)
	f.Fuzz(func(t *testing.T, s string) {
		if !Wild("*", s) || !Wild(s, s) && !hasEscape(s) {
			t.Errorf("%q does not match itself", s)
		}
	})
}

func hasEscape(s string) bool {
	for _, r := range s {
		if r == '\\' {
			return true
		}
	}
	return false
}

func TestMatchWantsEveryFilterAndAnyValue(t *testing.T) {
	tags := map[string]string{"Name": "web-1", "empty": ""}
	get := func(name string) []string { return map[string][]string{"state": {"running"}}[name] }
	for _, c := range []struct {
		f    []Filter
		want bool
	}{
		{nil, true},
		{[]Filter{{"state", []string{"stopped", "run*"}}}, true},
		{[]Filter{{"state", []string{"stopped"}}}, false},
		{[]Filter{{"tag:Name", []string{"web-?"}}, {"state", []string{"running"}}}, true},
		{[]Filter{{"tag:name", []string{"*"}}}, false},
		{[]Filter{{"tag:empty", []string{""}}}, true},
		{[]Filter{{"tag-key", []string{"Na*"}}}, true},
		{[]Filter{{"tag-value", []string{"db"}}}, false},
		{[]Filter{{"absent", []string{"*"}}}, false},
	} {
		if got := Match(c.f, tags, get); got != c.want {
			t.Errorf("%v: got %v", c.f, got)
		}
	}
}

func TestCheckFiltersNamesTheWrongOne(t *testing.T) {
	known := []string{"state", "tag"}
	if err := CheckFilters([]Filter{{"tag:x", []string{""}}, {"tag-key", []string{"a"}}, {"state", []string{"b"}}}, known); err != nil {
		t.Error(err)
	}
	for _, f := range []Filter{{"tag", []string{"x"}}, {"tag:", []string{"x"}}, {"sate", []string{"x"}}, {"state", nil}} {
		if err := CheckFilters([]Filter{f}, known); fault.CodeOf(err) != "InvalidParameterValue" {
			t.Errorf("%v: got %v", f, err)
		}
	}
}
