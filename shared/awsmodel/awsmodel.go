// Package awsmodel holds the public API models, trimmed to what Karri serves:
// names, shapes, wire names and traits, no prose.
//
// tools/awsmodel writes the embedded files from the machine-readable models;
// nothing here is edited by hand. A Service is read once, when it is first
// asked for, and never changes afterwards, so it is shared without locks.
package awsmodel

// A Service is one public API, e.g. all of EC2.
type Service struct {
	Name       string // as in permissions and credential scopes: ec2
	Version    string // the newest API version: 2016-11-15
	Protocol   string // ec2, query or json
	Namespace  string // of answers; EC2 answers with the version that was asked
	Target     string // json protocol: what stands before the dot in X-Amz-Target
	Operations map[string]*Operation
	Known      map[string]bool // every action of the real service, served or not
}

// An Operation is one action of a service.
type Operation struct {
	Name    string
	Input   *Shape // never nil; may have no members
	Output  *Shape // nil: the answer has no members
	Wrapper string // query protocol: the element around the answer's members
	Paged   bool   // the real service answers it in pages
}

// A Type is the type of a shape.
type Type string

// The types of shapes.
const (
	Structure Type = "structure"
	List      Type = "list"
	Map       Type = "map"
	String    Type = "string"
	Integer   Type = "integer"
	Long      Type = "long"
	Float     Type = "float"
	Double    Type = "double"
	Boolean   Type = "boolean"
	Blob      Type = "blob"
	Timestamp Type = "timestamp"
)

// A Shape is the type of a parameter or of an answer.
type Shape struct {
	Name      string
	Type      Type
	Members   []*Member // of a structure, in the model's order
	Element   *Member   // of a list
	Key       *Member   // of a map
	Value     *Member   // of a map
	Enum      []string  // of a string; empty: any
	Min, Max  *float64  // of a number: value; of a string or list: length
	Flattened bool      // of a list or map in the query protocol

	byName map[string]*Member
}

// A Member is a part of a structure, or the element of a list.
type Member struct {
	Name      string // DescribeInstancesRequest's InstanceIds, always with a raised first letter
	Wire      string // locationName in the model: InstanceId
	Query     string // queryName in the model; seldom there
	Shape     *Shape
	Required  bool
	Token     bool // an idempotency token
	Flattened bool
	Format    string // of a timestamp: iso8601, rfc822, unixTimestamp
}

// Member returns the member of a structure by its name, or nil.
func (s *Shape) Member(name string) *Member {
	return s.byName[name]
}
