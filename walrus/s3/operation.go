package s3

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"karri/shared/fault"
)

// A scope is what an operation is asked of.
type scope int

const (
	onService scope = iota
	onBucket
	onObject
)

// An operation defines one S3 operation.
type operation struct {
	Name   string
	Action string // that a policy must allow: "s3:GetObject"
	Method string
	On     scope
	// Sub is the query parameter that selects it, "" for the plain one. With
	// Header too, that header must be there.
	Sub    string
	Header string
	PerKey bool // its body names the keys, on each of which it decides
	Late   bool // its body says who asks: it authorises itself
	Run    func(*call) error
}

type selector struct {
	method string
	on     scope
	sub    string
	header string
}

var operations = map[selector]*operation{}

// define adds an operation to the table. Two for one selector are a mistake
// that ends the program at its start.
func define(o operation) *operation {
	s := selector{o.Method, o.On, o.Sub, o.Header}
	if operations[s] != nil {
		panic("s3: " + o.Name + " and " + operations[s].Name + " answer the same request")
	}
	operations[s] = &o
	return &o
}

// Names returns the names of all operations, sorted.
func Names() []string {
	names := map[string]bool{"ListObjectsV2": true, "ListBucketInventoryConfigurations": true} // told apart by a parameter
	for _, o := range operations {
		names[o.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// dispatch finds the operation that the request asks for.
func (c *call) dispatch() (*operation, error) {
	s := selector{method: c.r.Method, on: onObject}
	switch {
	case c.bucket == "":
		s.on = onService
	case c.key == "":
		s.on = onBucket
	}
	sub, err := c.subresource(s)
	if err != nil {
		return nil, err
	}
	s.sub = sub
	if c.r.Method == http.MethodPut && s.on == onObject && c.r.Header.Get(copySource) != "" {
		s.header = copySource
	}
	if o := operations[s]; o != nil {
		return o, nil
	}
	if sub != "" {
		return nil, notImplemented("%s of the sub-resource '%s' is not implemented.", c.r.Method, sub)
	}
	return nil, methodNotAllowed
}

// subresource returns the one sub-resource that the query names.
func (c *call) subresource(s selector) (string, error) {
	found := ""
	for _, name := range slices.Sorted(maps.Keys(c.query)) {
		use, known := subresources[name]
		switch {
		case !known || use == parameter:
			continue
		case use == refused:
			return "", notImplemented("The sub-resource '%s' is not implemented.", name)
		case found == "":
			found = name
		default:
			return "", fault.New(fault.Invalid, "InvalidArgument", "Conflicting query parameters: %s, %s.", found, name)
		}
	}
	return found, c.readVersion(s)
}

// A Route is how an operation is asked for, for tests of all of them.
type Route struct {
	Name, Action, Method string
	Bucket, Key          bool   // it is asked of a bucket, of an object in it
	Sub, Header          string // query parameter and header that select it
}

// Routes returns those of all operations, by name.
func Routes() []Route {
	var all []Route
	for _, o := range operations {
		all = append(all, Route{o.Name, o.Action, o.Method, o.On != onService, o.On == onObject, o.Sub, o.Header})
	}
	slices.SortFunc(all, func(a, b Route) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Sub, b.Sub)) })
	return all
}
