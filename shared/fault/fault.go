// Package fault is the one way this cloud says that something went wrong.
//
// A fault has a Kind, which programs act on, and a code and a text, which
// callers read. Each door (EC2 query, S3, internal JSON) turns the same fault
// into its own shape; no other package knows about HTTP statuses. What lies
// underneath is wrapped for the log and never sent to a caller.
package fault

import (
	"errors"
	"fmt"
)

// A Kind says what a program should do about a fault.
type Kind uint8

const (
	Broken   Kind = iota // our own bug or a broken disk: page someone
	Invalid              // the caller asked for nonsense: do not retry
	Denied               // the caller may not do this
	Missing              // the thing is not there
	Conflict             // the thing is not in a state that allows this
	Full                 // no capacity, or over a limit
	Later                // try again: a peer is away or busy
)

var kindNames = [...]string{"broken", "invalid", "denied", "missing", "conflict", "full", "later"}

func (k Kind) String() string { return kindNames[k] }

// A Fault is an error with a kind and a public code. Its JSON form, without
// Err, is what internal APIs answer.
type Fault struct {
	Kind Kind   `json:"kind"`
	Code string `json:"code"` // public name, e.g. "InvalidAMIID.NotFound"
	Text string `json:"text"` // one sentence for the caller
	Err  error  `json:"-"`    // what happened underneath; logged, never sent
}

func (f *Fault) Error() string {
	if f.Err == nil {
		return f.Code + ": " + f.Text
	}
	return f.Code + ": " + f.Text + ": " + f.Err.Error()
}

func (f *Fault) Unwrap() error { return f.Err }

// New returns a fault with a formatted text.
func New(k Kind, code, format string, args ...any) *Fault {
	return &Fault{Kind: k, Code: code, Text: fmt.Sprintf(format, args...)}
}

// Because returns a copy of f that wraps err, the trouble underneath.
func (f *Fault) Because(err error) *Fault {
	c := *f
	c.Err = err
	return &c
}

// Is reports whether target is the fault that f was made from by Because.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && f.Kind == t.Kind && f.Code == t.Code && f.Text == t.Text
}

// Of returns the fault in err's chain. An error that holds none is our own
// trouble: it becomes Broken with the code InternalError and wraps err.
func Of(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return New(Broken, "InternalError", "An internal error has occurred.").Because(err)
}

// KindOf returns the kind of err, or Broken when err holds no fault.
func KindOf(err error) Kind { return Of(err).Kind }

// CodeOf returns the public code of err, or "InternalError" when it holds no fault.
func CodeOf(err error) string { return Of(err).Code }
