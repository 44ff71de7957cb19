// Package replica copies objects to buckets of other S3 stores.
//
// A put that a rule of the bucket's replication matches leaves an event for each
// destination, in the same transaction, and the object says that it is PENDING.
// Package courier carries the events, those of one key in order: the copier reads
// the version and puts it there, its bytes streamed, with its metadata and tags
// and in the parts that it was made of, so that its ETag stays. Then the object
// says COMPLETED. After a crash in between the copier looks whether the other side
// has it already. What could not be copied for too long is FAILED, and is told.
//
// A copy is put with a header that says so; a store of this kind gives it the
// state REPLICA and copies it no further, so that two may copy to each other.
package replica

import (
	"strings"

	"karri/walrus/courier"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// Class is the class of the queues of what is to be copied.
const Class = "replica"

// The states of an object's replication, as S3 calls them.
const (
	Pending   = "PENDING" // followed by the ARNs that it is not at yet
	Completed = "COMPLETED"
	Failed    = "FAILED"
	Replica   = "REPLICA" // it is a copy itself
)

// Targets returns where an object that was just made, or a delete marker, is to
// be copied, and sets the object's state.
func Targets(r *setting.Replication, name string, o *index.Object) []index.Target {
	made := strings.HasPrefix(name, "s3:ObjectCreated:")
	if r == nil || o.Replication == Replica || !made && name != "s3:ObjectRemoved:DeleteMarkerCreated" {
		return nil
	}
	var all []index.Target
	state := Pending
	for _, rule := range r.For(o.Key, o.Tags, o.Marker) {
		all = append(all, index.Target{Queue: courier.Queue(Class, rule.Destination.ARN), Rule: rule.ID})
		state += " " + rule.Destination.ARN
	}
	if len(all) > 0 && !o.Marker {
		o.Replication = state
	}
	return all
}

// Status returns what S3 says of an object's state.
func Status(o *index.Object) string {
	s, _, _ := strings.Cut(o.Replication, " ")
	return s
}
