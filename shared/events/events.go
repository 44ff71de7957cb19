// Package events tells of changes, for notice only: caches drop what they
// hold, watchers see the stream, webhooks are called.
//
// Whoever changes something writes a line into an outbox in the transaction of
// the change. A Relay publishes the lines on a Bus and takes out those that
// were published; it keeps no mark of how far it came, since rows commit out of
// order. A crash between the two publishes a line once more, so that every
// event comes at least once, with the same ID.
//
// A Bus carries events to those who listen now and keeps none. Who was cut off
// has missed some and is told so (OnGap): it drops all that it held. Who cannot
// know that it is cut off bounds the age of what it holds by time. There are
// two: in memory, for one process, and NATS, whose server is embedded in
// cloudctl (Server) or an outside cluster, of which any server will do. Connections
// to the embedded server authenticate by the certificate of a component, and a
// role sees and says only the subjects that are its own; an outside cluster has
// rules of its own. Each event is signed by the component that tells it, and who
// hears it believes nobody else: a stranger who reaches the server can repeat
// what was said, which at worst empties a cache, and say nothing new.
package events

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"karri/shared/fault"
)

// An Event is the news that something changed. It carries names, never secrets.
type Event struct {
	ID      string          `json:"id"`      // the same when it comes again
	Subject string          `json:"subject"` // identity.user, bucket.policy
	Source  string          `json:"source"`  // the component that tells: cloudctl.karri
	Time    time.Time       `json:"time"`
	Body    json.RawMessage `json:"body"`
}

// A Bus carries events. All methods may be called by several goroutines.
type Bus interface {
	// Publish returns when the bus has the events. What it returned an error for
	// may have been carried all the same.
	Publish(ctx context.Context, list ...Event) error
	// Subscribe calls f for each event whose subject matches the pattern, one
	// after another, until stop is called.
	Subscribe(pattern string, f func(Event)) (stop func(), err error)
	// OnGap calls f whenever events may have been missed: the bus is connected,
	// for the first time or again.
	OnGap(f func())
	// Connected reports whether the bus is reached now.
	Connected() bool
	// Close ends the subscriptions; no f is running when it has returned.
	Close()
}

// Account is the part of an event's body that names whose thing changed, if it
// is somebody's.
func (e Event) Account() string {
	var body struct{ Account string }
	_ = json.Unmarshal(e.Body, &body) // a body of another form has no account
	return body.Account
}

var subjectForm = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// longest bounds subjects and patterns.
const longest = 200

// CheckPattern refuses what is no pattern: words with dots between, of which *
// stands for any one word and > at the end for any one or more.
func CheckPattern(pattern string) error {
	words := strings.Split(pattern, ".")
	for i, w := range words {
		if w == "*" || w == ">" && i == len(words)-1 {
			words[i] = "x"
		}
	}
	if len(pattern) > longest || !subjectForm.MatchString(strings.Join(words, ".")) {
		return fault.New(fault.Invalid, "InvalidParameterValue", "%.50q is no pattern of subjects such as identity.*, bucket.policy or >.", pattern)
	}
	return nil
}

// largest bounds the body of an event.
const largest = 128 << 10

func (e Event) check() error {
	if len(e.Subject) > longest || !subjectForm.MatchString(e.Subject) {
		return fault.New(fault.Broken, "BadEvent", "%.50q is no subject.", e.Subject)
	}
	if len(e.Body) > largest || len(e.Body) > 0 && !json.Valid(e.Body) {
		return fault.New(fault.Broken, "BadEvent", "The body of an event of %s is too long, or no JSON.", e.Subject)
	}
	return nil
}

// Match reports whether a subject is one that the pattern means.
func Match(pattern, subject string) bool {
	want, have := strings.Split(pattern, "."), strings.Split(subject, ".")
	if n := len(want); want[n-1] == ">" {
		return len(have) >= n && Match(strings.Join(append(slices.Clone(want[:n-1]), "*"), "."), strings.Join(have[:n], "."))
	}
	return slices.EqualFunc(want, have, func(w, h string) bool { return w == "*" || w == h })
}
