package setting

import (
	"fmt"
	"net/url"
	"strings"
)

// EventTargets are the places that events may be sent to, by ARN. The
// administrator names them, since a URL of a tenant's would let him reach the
// inside of the cloud. The ARN's account, where it has one, is the only one
// whose buckets may name it.
type EventTargets map[string]EventTarget

// An EventTarget is such a place.
type EventTarget struct {
	URL    string
	Secret string // file with the key of an HMAC, or with "Bearer TOKEN"; "": none
}

// ReplicationTargets are the buckets at other endpoints that objects may be
// copied to, by ARN: arn:karri:s3:REGION:ACCOUNT:BUCKET, where REGION is what
// requests there are signed for and ACCOUNT, if any, is the only one here whose
// buckets may name it. With an account, BUCKET may be *: any there.
type ReplicationTargets map[string]ReplicationTarget

// A ReplicationTarget is where such a bucket is.
type ReplicationTarget struct {
	Endpoint    string // URL of the other S3
	Credentials string // file with access key and secret, each in a line of its own
	Region      string
	Bucket      string // its name there
}

// arn is an Amazon Resource Name in its parts.
type arn struct{ service, region, account, resource string }

func parseARN(s string) (arn, bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return arn{}, false
	}
	return arn{p[2], p[3], p[4], p[5]}, true
}

// BucketOf returns the bucket that arn:aws:s3:::BUCKET names.
func BucketOf(name string) (string, bool) {
	a, ok := parseARN(name)
	return a.resource, ok && a.service == "s3" && a.region == "" && a.account == "" && !strings.ContainsAny(a.resource, "/:*")
}

// ParseEventTargets reads ARN=URL or ARN=URL#FILE.
func ParseEventTargets(list []string) (EventTargets, error) {
	targets := EventTargets{}
	for _, s := range list {
		name, to, _ := strings.Cut(s, "=")
		a, ok := parseARN(name)
		if !ok || services[a.service] == "" {
			return nil, fmt.Errorf("event target %q: want ARN=URL with the ARN of an sqs, sns or lambda service", s)
		}
		t := EventTarget{URL: to}
		t.URL, t.Secret, _ = strings.Cut(to, "#")
		if err := checkURL(t.URL); err != nil {
			return nil, fmt.Errorf("event target %q: %w", s, err)
		}
		targets[name] = t
	}
	return targets, nil
}

// ParseReplicationTargets reads ARN=ENDPOINT#FILE.
func ParseReplicationTargets(list []string) (ReplicationTargets, error) {
	targets := ReplicationTargets{}
	for _, s := range list {
		name, to, _ := strings.Cut(s, "=")
		endpoint, file, _ := strings.Cut(to, "#")
		a, ok := parseARN(name)
		if !ok || a.service != "s3" || a.region == "" || file == "" || a.resource == "*" && a.account == "" {
			return nil, fmt.Errorf("replication target %q: want arn:karri:s3:REGION:ACCOUNT:BUCKET=ENDPOINT#FILE", s)
		}
		if err := checkURL(endpoint); err != nil {
			return nil, fmt.Errorf("replication target %q: %w", s, err)
		}
		targets[name] = ReplicationTarget{Endpoint: endpoint, Credentials: file, Region: a.region, Bucket: a.resource}
	}
	return targets, nil
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		err = fmt.Errorf("%q is not a URL of http or https", s)
	}
	return err
}

// Target returns where the events of an account's bucket go that name an ARN.
func (t EventTargets) Target(name, account string) (EventTarget, bool) {
	a, ok := parseARN(name)
	if !ok || a.account != "" && a.account != account {
		return EventTarget{}, false
	}
	to, ok := t[name]
	return to, ok
}

// Of returns the target that a bucket of an account means by an ARN.
func (t ReplicationTargets) Of(name, account string) (ReplicationTarget, bool) {
	a, ok := parseARN(name)
	if !ok || a.account != "" && a.account != account {
		return ReplicationTarget{}, false
	}
	if to, ok := t[name]; ok && to.Bucket != "*" {
		return to, true
	}
	to, ok := t[strings.TrimSuffix(name, a.resource)+"*"]
	to.Bucket = a.resource
	return to, ok && a.account != "" && !strings.ContainsAny(a.resource, "*/:?#% ")
}
