package policy

import (
	"bytes"
	"encoding/json"
)

// Rename returns a document in which each AWS principal has the name that name
// returns for it. The rest of the text stays as it was written.
//
// It is how a policy that names a user or a role is kept: by the unique id, so
// that who comes later under the same name is not meant.
func Rename(doc []byte, name func(value string) (string, error)) ([]byte, error) {
	root, err := readDocument(doc)
	if err != nil {
		return nil, err
	}
	statements := root.child("Statement")
	if statements == nil {
		return doc, nil
	}
	all := statements.list
	if statements.object {
		all = []*node{statements}
	}
	var out bytes.Buffer
	done := 0
	for _, s := range all {
		for _, element := range []string{"Principal", "NotPrincipal"} { // a statement has one of them
			for _, n := range s.child(element).child("AWS").leaves() {
				to, err := name(n.text)
				if err != nil {
					return nil, err
				}
				if to == n.text {
					continue
				}
				text, err := json.Marshal(to)
				if err != nil {
					return nil, err
				}
				out.Write(doc[done:n.from])
				out.Write(text)
				done = n.to
			}
		}
	}
	out.Write(doc[done:])
	return out.Bytes(), nil
}

// child returns the member of an object; nil when there is none.
func (n *node) child(name string) *node {
	if n == nil || !n.object {
		return nil
	}
	for i, have := range n.names {
		if have == name {
			return n.list[i]
		}
	}
	return nil
}

// leaves returns the strings that n is or is a list of.
func (n *node) leaves() []*node {
	switch {
	case n == nil || n.object:
		return nil
	case n.quoted:
		return []*node{n}
	}
	var all []*node
	for _, c := range n.list {
		if c.quoted {
			all = append(all, c)
		}
	}
	return all
}
