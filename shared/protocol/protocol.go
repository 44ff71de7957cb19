// Package protocol turns the bytes of public requests into structs and structs
// into the bytes of answers, driven by the public models of shared/awsmodel.
//
// A request of any dialect first becomes a tree of Nodes, under limits on size,
// count and depth; a Plan, compiled once for a pair of model shape and Go type,
// then fills the struct and refuses by name what is missing, unknown, of the
// wrong type, out of range, or known but not honoured. The same Plan writes
// answers. Nothing here keeps state but the compiled Plans.
package protocol

import (
	"strings"

	"karri/shared/audit"
	"karri/shared/fault"
)

// A Dialect is a way of writing the same request.
type Dialect uint8

// The dialects. JSON names members as the model does, with the first letter
// raised; it is Karri's own and the same for every service. AWSJSON is the JSON
// of the services whose public protocol that is: members have their wire names
// and times are seconds since 1970.
const (
	EC2 Dialect = iota
	Query
	JSON
	AWSJSON
	dialects
)

// IsJSON reports whether a request of the dialect is a JSON object.
func (d Dialect) IsJSON() bool { return d == JSON || d == AWSJSON }

// Limits on a request, beyond the length of its body.
const (
	maxPairs = 4000 // parameters
	maxDepth = 16   // parts of a parameter's name
	maxItems = 1000 // elements of a list
	maxName  = 512  // length of a parameter's name
)

// A Node is a parameter: a value, or parts with names, in the order of the
// names. Both happens only in requests that will be refused.
type Node struct {
	Name  string
	Value string
	Set   bool // Value was given, if empty
	Parts []*Node
	list  bool // JSON: an array
}

// Part returns the named part of n, or nil.
func (n *Node) Part(name string) *Node {
	for _, p := range n.Parts {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Take removes the named part and returns its value.
func (n *Node) Take(name string) (value string, ok bool) {
	for i, p := range n.Parts {
		if p.Name == name && p.Set && len(p.Parts) == 0 {
			n.Parts = append(n.Parts[:i:i], n.Parts[i+1:]...)
			return p.Value, true
		}
	}
	return "", false
}

// where is the way from the root to a node, for messages.
type where struct {
	up   *where
	name string
}

func (w *where) String() string {
	if w == nil {
		return ""
	}
	var parts []string
	for ; w != nil; w = w.up {
		parts = append(parts, w.name)
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, ".")
}

func missing(at *where) error {
	return fault.New(fault.Invalid, "MissingParameter", "The request must contain the parameter %s.", at)
}

func unknown(at *where) error {
	return fault.New(fault.Invalid, "UnknownParameter", "The parameter %s is not recognized.", at)
}

func unsupported(at *where) error {
	return fault.New(fault.Invalid, "UnsupportedOperation", "The parameter %s is not supported.", at)
}

// invalid tells what is wrong with which value; one that is a secret is not
// repeated, for the answer and the logs have the sentence.
func invalid(at *where, value, why string) error {
	for w := at; w != nil; w = w.up {
		if audit.Secret(w.name) {
			value = "..."
		}
	}
	if len(value) > 100 {
		value = strings.ToValidUTF8(value[:100], "") + "..."
	}
	return fault.New(fault.Invalid, "InvalidParameterValue", "Value (%s) for parameter %s is invalid. %s", value, at, why)
}
