package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// A node is a piece of JSON that knows where it stands, and in which no name
// of an object stands twice.
type node struct {
	where  string
	scalar bool
	text   string // of a scalar
	quoted bool   // the scalar is a string
	from   int    // of a string: where it begins in the text
	to     int    // and ends
	list   []*node
	names  []string // of an object, with list
	object bool
}

const (
	maxRaw   = 256 << 10
	maxDepth = 8
)

// readDocument reads exactly one JSON value.
func readDocument(b []byte) (*node, error) {
	if len(b) > maxRaw {
		return nil, malformed("", "The policy is longer than %d bytes.", maxRaw)
	}
	if !utf8.Valid(b) {
		return nil, malformed("", "The policy is not UTF-8.")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	n, err := readNode(d, "", 0)
	if err != nil {
		return nil, err
	}
	n.quotes(b)
	if _, err := d.Token(); err != io.EOF {
		return nil, malformed("", "The policy is not valid JSON: something follows it.")
	}
	return n, nil
}

// quotes moves the beginnings of strings to their quotes: what a decoder stands
// before is the comma or colon.
func (n *node) quotes(b []byte) {
	if n.quoted {
		n.from += bytes.IndexByte(b[n.from:], '"')
	}
	for _, c := range n.list {
		c.quotes(b)
	}
}

func readNode(d *json.Decoder, where string, depth int) (*node, error) {
	before := int(d.InputOffset())
	t, err := d.Token()
	if err != nil {
		return nil, malformed(where, "The policy is not valid JSON (byte %d).", d.InputOffset())
	}
	if depth > maxDepth {
		return nil, malformed(where, "The policy is nested too deeply.")
	}
	n := &node{where: where, scalar: true, from: before}
	switch t := t.(type) {
	case string:
		n.text, n.quoted, n.to = t, true, int(d.InputOffset())
	case json.Number:
		n.text = t.String()
	case bool:
		n.text = strconv.FormatBool(t)
	case json.Delim:
		n.scalar, n.object = false, t == '{'
		if err := n.fill(d, depth); err != nil {
			return nil, err
		}
	default:
		return nil, malformed(where, "null is not allowed here.")
	}
	return n, nil
}

// fill reads what stands between two brackets.
func (n *node) fill(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		where := fmt.Sprintf("%s[%d]", n.where, len(n.list))
		if n.object {
			t, err := d.Token()
			name, ok := t.(string)
			if err != nil || !ok {
				return malformed(n.where, "The policy is not valid JSON (byte %d).", d.InputOffset())
			}
			if where = name; n.where != "" {
				where = n.where + "." + name
			}
			if seen[name] {
				return malformed(where, "It stands there twice.")
			}
			seen[name] = true
			n.names = append(n.names, name)
		}
		child, err := readNode(d, where, depth+1)
		if err != nil {
			return err
		}
		n.list = append(n.list, child)
	}
	if _, err := d.Token(); err != nil {
		return malformed(n.where, "The policy is not valid JSON (byte %d).", d.InputOffset())
	}
	return nil
}

// texts returns one string or a list of them; at least one.
func (n *node) texts() ([]string, error) {
	all, err := n.scalars()
	for i := range all {
		if part := n.part(i); !part.quoted {
			return nil, malformed(part.where, "It must be a string.")
		}
	}
	return all, err
}

// scalars returns one string, number or boolean or a list of them; at least one.
func (n *node) scalars() ([]string, error) {
	if n.scalar {
		return []string{n.text}, nil
	}
	if n.object || len(n.list) == 0 {
		return nil, malformed(n.where, "It must be a value or a list of at least one.")
	}
	var all []string
	for _, c := range n.list {
		if !c.scalar {
			return nil, malformed(c.where, "It must be a value.")
		}
		all = append(all, c.text)
	}
	return all, nil
}

func (n *node) part(i int) *node {
	if n.scalar {
		return n
	}
	return n.list[i]
}

// one returns the string that n is.
func (n *node) one() (string, error) {
	if !n.quoted {
		return "", malformed(n.where, "It must be a string.")
	}
	return n.text, nil
}
