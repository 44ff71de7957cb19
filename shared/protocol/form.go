package protocol

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"karri/shared/fault"
)

// ParseForm makes a tree of form fields, of which those named in skip are left
// out. A name is split at its dots: Filter.1.Value.2.
func ParseForm(form url.Values, skip func(name string) bool) (*Node, error) {
	names := make([]string, 0, len(form))
	for name, values := range form {
		if skip != nil && skip(name) {
			continue
		}
		switch {
		case len(values) != 1:
			return nil, fault.New(fault.Invalid, "InvalidParameterCombination", "The parameter %s is given more than once.", shorten(name))
		case len(name) > maxName || strings.Count(name, ".") >= maxDepth:
			return nil, fault.New(fault.Invalid, "UnknownParameter", "The parameter %s is not recognized.", shorten(name))
		}
		names = append(names, name)
	}
	if len(names) > maxPairs {
		return nil, fault.New(fault.Invalid, "InvalidParameterCombination", "The request has more than %d parameters.", maxPairs)
	}
	slices.SortFunc(names, compareNames)
	root := &Node{}
	for _, name := range names {
		n := root
		for part := range strings.SplitSeq(name, ".") {
			n = n.grow(part)
		}
		n.Value, n.Set = form.Get(name), true
	}
	return root, nil
}

// grow returns the part with that name, which is the last one if it is there,
// because names come in order.
func (n *Node) grow(name string) *Node {
	if k := len(n.Parts); k > 0 && n.Parts[k-1].Name == name {
		return n.Parts[k-1]
	}
	p := &Node{Name: name}
	n.Parts = append(n.Parts, p)
	return p
}

// compareNames orders names part by part: the dot comes before all else.
func compareNames(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		switch byte('.') {
		case a[i]:
			return -1
		case b[i]:
			return 1
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}

func shorten(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "..."
	}
	return strings.ToValidUTF8(s, "?")
}
