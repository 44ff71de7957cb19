package protocol

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"

	"karri/shared/fault"
)

// ParseJSON makes a tree of a JSON object. Empty input is an empty object; null
// is the same as absent.
func ParseJSON(b []byte) (*Node, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return &Node{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = io.ErrUnexpectedEOF
		}
	}
	if _, ok := v.(map[string]any); err != nil || !ok {
		return nil, fault.New(fault.Invalid, "SerializationException", "The body is not a JSON object.")
	}
	left := maxPairs
	n := &Node{}
	if !n.fill(v, 0, &left) {
		return nil, fault.New(fault.Invalid, "SerializationException", "The body is too deep or has too many parts.")
	}
	return n, nil
}

// fill reports whether v is within the limits.
func (n *Node) fill(v any, depth int, left *int) bool {
	if *left--; *left < 0 || depth > maxDepth {
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if v[name] == nil {
				continue
			}
			p := &Node{Name: name}
			if n.Parts = append(n.Parts, p); len(name) > maxName || !p.fill(v[name], depth+1, left) {
				return false
			}
		}
	case []any:
		n.list = true
		for i := range v {
			p := &Node{Name: strconv.Itoa(i + 1)}
			if n.Parts = append(n.Parts, p); !p.fill(v[i], depth+1, left) {
				return false
			}
		}
	case string:
		n.Value, n.Set = v, true
	case json.Number:
		n.Value, n.Set = v.String(), true
	case bool:
		n.Value, n.Set = strconv.FormatBool(v), true
	}
	return true
}
