// Package event tells others what happens to objects.
//
// A change of an object that somebody subscribed to puts an event into the
// outbox in the same transaction (package index), once for each target. Package
// courier carries it from there: a target is an URL that the administrator
// named, which is sent S3's event message as JSON by POST. Whoever receives it
// knows by the target's secret that it is from this store, answers 2xx when he
// has it, and may get it twice; events of one key come in their order.
//
// What a target does not take for a day is given up: the whole message is then
// in the log, and counted.
package event

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"karri/walrus/access"
	"karri/walrus/courier"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// Class is the class of the queues whose events are sent as messages.
const Class = "event"

// Test is the name of the message that a new target gets.
const Test = "s3:TestEvent"

// Targets returns who is to be told of an event ("s3:ObjectCreated:Put") at a key.
func Targets(n *setting.Notification, name, key string) []index.Target {
	if n == nil {
		return nil
	}
	var all []index.Target
	for _, s := range n.For(name, key) {
		all = append(all, index.Target{Queue: courier.Queue(Class, s.ARN()), Rule: s.ID})
	}
	return all
}

// HostID is what S3 calls the second id of a request.
func HostID(request string) string {
	sum := sha256.Sum256([]byte(request))
	return hex.EncodeToString(sum[:])
}

type message struct {
	Records []record
}

type record struct {
	Version     string            `json:"eventVersion"`
	Source      string            `json:"eventSource"`
	Region      string            `json:"awsRegion"`
	Time        string            `json:"eventTime"`
	Name        string            `json:"eventName"`
	User        principal         `json:"userIdentity"`
	Parameters  map[string]string `json:"requestParameters"`
	Elements    map[string]string `json:"responseElements"`
	S3          about             `json:"s3"`
	Replication *replication      `json:"replicationEventData,omitempty"`
}

type principal struct {
	ID string `json:"principalId"`
}

type about struct {
	Schema string `json:"s3SchemaVersion"`
	Rule   string `json:"configurationId"`
	Bucket struct {
		Name  string    `json:"name"`
		Owner principal `json:"ownerIdentity"`
		ARN   string    `json:"arn"`
	} `json:"bucket"`
	Object object `json:"object"`
}

type object struct {
	Key       string `json:"key"`
	Size      *int64 `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	Version   string `json:"versionId,omitempty"`
	Sequencer string `json:"sequencer"`
}

type replication struct {
	Rule        string `json:"replicationRuleId"`
	Destination string `json:"destinationBucket"`
	Operation   string `json:"s3Operation"`
	RequestTime string `json:"requestTime"`
	Reason      string `json:"failureReason,omitempty"`
}

const stamp = "2006-01-02T15:04:05.000Z"

// Message returns the message of an event in a bucket of an owner.
func Message(e index.Event, owner, region string) []byte {
	if e.Name == Test {
		return test(e)
	}
	r := record{
		Version: version(e.Name), Source: "aws:s3", Region: region, Time: e.Time.UTC().Format(stamp),
		Name: strings.TrimPrefix(e.Name, "s3:"), User: principal{who(e)},
		Parameters: map[string]string{"sourceIPAddress": cmp.Or(e.Source, "s3.amazonaws.com")},
		Elements:   map[string]string{"x-amz-request-id": e.RequestID, "x-amz-id-2": HostID(e.RequestID)},
	}
	r.S3.Schema, r.S3.Rule = "1.0", e.Rule
	r.S3.Bucket.Name, r.S3.Bucket.ARN, r.S3.Bucket.Owner = e.Bucket, "arn:aws:s3:::"+e.Bucket, principal{access.Canonical(owner)}
	r.S3.Object = object{Key: escape(e.Key), Version: e.Version, Sequencer: fmt.Sprintf("%016X", e.Seq)}
	if strings.HasPrefix(e.Name, "s3:ObjectCreated:") || strings.HasPrefix(e.Name, "s3:Replication:") {
		r.S3.Object.Size, r.S3.Object.ETag = &e.Size, e.ETag
	}
	if to, ok := strings.CutPrefix(e.Detail, "replication "); ok {
		rule, reason, _ := strings.Cut(to, "\n")
		rule, arn, _ := strings.Cut(rule, "\t")
		r.Replication = &replication{Rule: rule, Destination: arn, Operation: "OBJECT_PUT", RequestTime: r.Time, Reason: reason}
	}
	b, _ := json.Marshal(message{[]record{r}}) // it has nothing that cannot be written
	return b
}

// version is that of the message's form, which grew with the kinds of events.
func version(name string) string {
	switch class, _, _ := strings.Cut(strings.TrimPrefix(name, "s3:"), ":"); class {
	case "ObjectCreated", "ObjectRemoved":
		return "2.1"
	case "Replication":
		return "2.2"
	}
	return "2.3"
}

// who is whom the message names as the one that did it.
func who(e index.Event) string {
	switch {
	case e.ARN != "":
		return "AWS:" + e.ARN
	case e.Account != "":
		return "AWS:" + e.Account
	case e.Source == "":
		return "s3.amazonaws.com"
	}
	return "ANONYMOUS"
}

// escape writes a key as forms do, but for the slashes.
func escape(key string) string {
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}

func test(e index.Event) []byte {
	b, _ := json.Marshal(struct {
		Service, Event, Time, Bucket string
		RequestID                    string `json:"RequestId"`
		HostID                       string `json:"HostId"`
	}{"Amazon S3", Test, e.Time.UTC().Format(time.RFC3339), e.Bucket, e.RequestID, HostID(e.RequestID)})
	return b
}
