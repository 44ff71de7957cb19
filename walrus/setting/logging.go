package setting

import (
	"encoding/xml"
	"time"
)

// Logging says where the requests to a bucket are written down.
type Logging struct {
	XMLName xml.Name   `xml:"http://s3.amazonaws.com/doc/2006-03-01/ BucketLoggingStatus"`
	Enabled *LoggingTo `xml:"LoggingEnabled"` // nil: they are not
}

// LoggingTo is where.
type LoggingTo struct {
	Bucket string        `xml:"TargetBucket"`
	Prefix string        `xml:"TargetPrefix"`
	Grants []unsupported `xml:"TargetGrants,omitempty"`
	Format *LogKeyFormat `xml:"TargetObjectKeyFormat"`
}

// LogKeyFormat says how the keys of logs are made.
type LogKeyFormat struct {
	Simple      *struct{}    `xml:"SimplePrefix"`
	Partitioned *Partitioned `xml:"PartitionedPrefix"`
}

// Partitioned is a key that begins with account, region, bucket and day.
type Partitioned struct {
	Source *LogDate `xml:"PartitionDateSource"`
}

// A LogDate is which time such a key shows.
type LogDate string

// When the requests were, or when the log was delivered.
const (
	EventTime    LogDate = "EventTime"
	DeliveryTime LogDate = "DeliveryTime"
)

func (LogDate) values() string { return "EventTime DeliveryTime" }

func (l *Logging) validate() error {
	e := l.Enabled
	switch {
	case e == nil:
		return nil
	case len(e.Grants) > 0:
		return notImplemented("TargetGrants are not implemented: who may read the target bucket may read the logs.")
	case e.Bucket == "" || e.Format != nil && (e.Format.Simple == nil) == (e.Format.Partitioned == nil):
		return MalformedXML
	case len(e.Prefix) > 512:
		return invalidArgument("The target prefix is too long.")
	}
	return nil
}

// ByEvent reports whether a log may hold the requests of one day only.
func (t *LoggingTo) ByEvent() bool {
	return t.Format != nil && t.Format.Partitioned != nil && t.Format.Partitioned.Source != nil && *t.Format.Partitioned.Source == EventTime
}

// Key returns the key of a log of a bucket that is delivered now, whose
// requests were on the day of event.
func (t *LoggingTo) Key(account, region, bucket string, event, now time.Time, unique string) string {
	at := now.UTC()
	if t.Format == nil || t.Format.Partitioned == nil {
		return t.Prefix + at.Format("2006-01-02-15-04-05-") + unique
	}
	if t.ByEvent() {
		at = event.UTC().Truncate(24 * time.Hour)
	}
	return t.Prefix + account + "/" + region + "/" + bucket + at.Format("/2006/01/02/2006-01-02-15-04-05-") + unique
}
