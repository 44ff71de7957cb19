package action

import (
	"context"
	"slices"
	"strings"
	"testing"

	"karri/shared/fault"
)

func pageAll(t *testing.T, things []string, max int, between func([]string) []string) []string {
	t.Helper()
	limit := int64(max)
	var got []string
	var token string
	for range 20 {
		p, err := newPager(&List{Min: 1, Max: 1000}, "111122223333", "DescribeX", "q", &limit, token)
		if err != nil {
			t.Fatal(err)
		}
		page, next, err := Page(context.WithValue(t.Context(), pagerKey{}, p), slices.Clone(things), strings.Clone)
		if err != nil || len(page) > max {
			t.Fatal(page, err)
		}
		got = append(got, page...)
		if next == nil {
			return got
		}
		token, things = *next, between(things)
	}
	t.Fatal("the pages do not end")
	return nil
}

func TestPagesNeitherRepeatNorHide(t *testing.T) {
	all := []string{"e", "b", "a", "d", "c"}
	same := func(s []string) []string { return s }
	for max := 1; max <= 6; max++ {
		if got := strings.Join(pageAll(t, all, max, same), ""); got != "abcde" {
			t.Errorf("by %d: got %s", max, got)
		}
	}
	drop := func(s []string) []string {
		return slices.DeleteFunc(slices.Clone(s), func(x string) bool { return x == "b" })
	}
	if got := strings.Join(pageAll(t, all, 2, drop), ""); got != "abcde" {
		t.Errorf("with b gone after the first page: got %s", got)
	}
}

func TestATokenIsGoodForItsQuestionOnly(t *testing.T) {
	two := int64(2)
	p, _ := newPager(&List{Min: 1, Max: 1000}, "a", "DescribeX", "q", &two, "")
	token := p.token("last")
	for _, c := range [][3]string{{"b", "DescribeX", "q"}, {"a", "DescribeY", "q"}, {"a", "DescribeX", "r"}} {
		if _, err := newPager(&List{}, c[0], c[1], c[2], nil, token); fault.CodeOf(err) != "InvalidNextToken" {
			t.Errorf("%v: got %v", c, err)
		}
	}
	for _, bad := range []string{"x", "!!", "AAAAAAAAAAA", strings.Repeat("A", 5000)} {
		if _, err := newPager(&List{}, "a", "DescribeX", "q", nil, bad); fault.CodeOf(err) != "InvalidNextToken" {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	if p, err := newPager(&List{}, "a", "DescribeX", "q", nil, token); err != nil || p.after != "last" {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestMaxResultsHasBounds(t *testing.T) {
	for _, n := range []int64{-1, 0, 4, 1001} {
		if _, err := newPager(&List{Min: 5, Max: 1000}, "a", "DescribeX", "q", &n, ""); fault.CodeOf(err) != "InvalidParameterValue" {
			t.Errorf("%d: got %v", n, err)
		}
	}
}
