// Package replica copies objects to buckets of other S3 stores.
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
