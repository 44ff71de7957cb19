// Package policy is the language in which rights are written: IAM policies.
//
// Parse reads a document strictly: what it does not know it refuses and names
// the place, because a misread policy is a hole. What comes out is compiled, so
// that a decision is a walk over patterns and allocates next to nothing; it
// never changes afterwards and may be shared by goroutines.
//
// Evaluate decides one request against the policies of who asks and of what is
// asked for, and names the statement that decided. The order is always the
// same:
//
//  1. any statement that denies decides, wherever it stands;
//  2. anonymous callers and services need a statement of the resource's policy;
//  3. a caller of the resource's own account needs a statement of its own
//     policies, or of the resource's policy that means more than the account;
//  4. a caller of another account needs both;
//  5. boundaries and session policies then narrow what the caller's own
//     policies gave: without a statement there, too, it is refused.
//
// A statement with the effect Limit has no part in that: it says how much of a
// kind there may be, and LimitOf finds the tightest one.
//
// The package is pure: it knows no clock, disk or network. What a condition
// may ask about (time, address, tags) comes with the request. There is no
// state, so a crash has nothing to undo.
package policy

import "karri/shared/fault"

// The versions of the language. Variables such as ${aws:username} are text in
// the older one, which is the default.
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// A Policy is a parsed document.
type Policy struct {
	Name       string // for explanations; who parsed it may set it before sharing it
	Version    string
	ID         string
	Statements []*Statement
}

// A Statement allows or denies actions on resources to principals, or limits them. A list that
// begins with Not means all but those.
type Statement struct {
	Policy     *Policy
	Index      int // in the document, from 0
	Sid        string
	Deny       bool
	Limit      bool           // neither allows nor denies: bounds how much there may be, see LimitOf
	Principals []PrincipalRef // of the policy of a resource
	Actions    []string       // as written
	Resources  []string       // as written; none in trust policies, which are about their role
	Conditions []*Condition

	NotPrincipal, NotAction, NotResource bool

	actions   []pattern
	resources []arnPattern
}

// A Request is one act to be decided.
type Request struct {
	Principal Principal
	Action    string // "s3:GetObject"
	Resource  string // its ARN; "*" for an act on nothing in particular
	Owner     string // account of the resource
	// Keys answers the values of a condition key, by its lower-case name; none
	// when the request has no such key. Keys about the principal come from it.
	// May be nil.
	Keys func(key string) []string
}

// Malformed is the code of the fault that Parse returns.
const Malformed = "MalformedPolicy"

func malformed(where, format string, args ...any) error {
	f := fault.New(fault.Invalid, Malformed, format, args...)
	if where != "" {
		f.Text = where + ": " + f.Text
	}
	return f
}
