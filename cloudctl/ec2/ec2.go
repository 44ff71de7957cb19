// Package ec2 is the public compute API. Each action has a file of its own,
// named after it: RunInstances is in run_instances.go, and nowhere else; files
// with other names hold shapes and words that several actions share.
//
// An action writes down what is wanted, in one transaction, and answers; the
// keepers do the rest. A crash before the commit promised nothing, after it
// loses nothing: a client that had no answer asks again, with the same client
// token where something would be made twice. Reads are one instant of the
// database joined with the latest reports, and see every acknowledged write.
// What belongs to another account is answered as if it did not exist.
package ec2

import (
	"context"
	"io"
	"net/netip"
	"time"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/awsmodel"
	"karri/shared/bucket"
	"karri/shared/id"
)

// API holds what the actions need.
type API struct {
	Store    *store.Store
	Reports  *report.Latest // what the zones said last
	Clock    func() time.Time
	Rand     io.Reader      // of ids, MAC addresses and key pairs; nil: crypto/rand
	Region   string         // us-east-1
	Endpoint string         // host and port of the public API, for DescribeRegions
	Pool     []netip.Prefix // public addresses that may be given out
	Buckets  bucket.Store   // users' objects, by For
	Console  Console
	Nudge    func() // wakes the loops; carries no news
}

// A Console returns the last output of an instance's serial console, also of
// one that has ended, and when it was read.
type Console interface {
	Console(ctx context.Context, zone string, instance id.Instance) (text []byte, read time.Time, err error)
}

// Catalog holds every action of this package.
var Catalog = action.NewCatalog[*API]("ec2", awsmodel.EC2())

// ptr returns a pointer to a copy of v, for members of answers that may be absent.
func ptr[T any](v T) *T { return &v }

// opt returns a pointer to s, or nil for the empty text.
func opt[S ~string](s S) *string {
	if s == "" {
		return nil
	}
	t := string(s)
	return &t
}

// val returns what p points to, or the zero.
func val[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
