package setting

import (
	"encoding/xml"
	"fmt"
	"time"
)

// Lifecycle says when objects, versions and uploads end by themselves.
type Lifecycle struct {
	XMLName xml.Name        `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LifecycleConfiguration"`
	Rules   []LifecycleRule `xml:"Rule"`
}

// LifecycleRule is one rule.
type LifecycleRule struct {
	ID          string `xml:",omitempty"`
	Status      Switch
	Prefix      *string // of rules of the first kind, which had no Filter
	Filter      *Filter
	Expiration  *Expiration
	Noncurrent  *NoncurrentExpiration `xml:"NoncurrentVersionExpiration"`
	Abort       *AbortUpload          `xml:"AbortIncompleteMultipartUpload"`
	Transitions []unsupported         `xml:"Transition,omitempty"`
	Moves       []unsupported         `xml:"NoncurrentVersionTransition,omitempty"`
}

// Expiration ends current objects, or delete markers that hide nothing.
type Expiration struct {
	Days                      *int
	Date                      *Date
	ExpiredObjectDeleteMarker *bool
}

// NoncurrentExpiration ends versions that are not current any more.
type NoncurrentExpiration struct {
	NoncurrentDays          *int
	NewerNoncurrentVersions *int
}

// AbortUpload ends uploads that were never completed.
type AbortUpload struct {
	DaysAfterInitiation *int
}

// Date is a time as S3's documents have it.
type Date struct{ time.Time }

// UnmarshalText takes a day, or an instant in ISO 8601.
func (d *Date) UnmarshalText(b []byte) error {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, string(b)); err == nil {
			d.Time = t.UTC()
			return nil
		}
	}
	return MalformedXML
}

// MarshalText is S3's form.
func (d Date) MarshalText() ([]byte, error) {
	return []byte(d.UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

// maxDays keeps times within what a calendar can show.
const maxDays = 1<<31 - 1

func (l *Lifecycle) validate() error {
	ids := map[string]bool{}
	for i := range l.Rules {
		r := &l.Rules[i]
		if err := r.validate(); err != nil {
			return err
		}
		if r.ID != "" && ids[r.ID] {
			return invalidArgument("Rule ID must be unique. Found same ID for more than one rule")
		}
		ids[r.ID] = true
	}
	for i := range l.Rules { // S3 names rules that were given no name; so that it stays, the name is the place
		for n := i; l.Rules[i].ID == ""; n++ {
			if id := fmt.Sprintf("rule-%d", n+1); !ids[id] {
				l.Rules[i].ID, ids[id] = id, true
			}
		}
	}
	return nil
}

func (r *LifecycleRule) validate() error {
	switch {
	case len(r.Transitions)+len(r.Moves) > 0:
		return notImplemented("Transitions to another storage class are not implemented: there is one.")
	case (r.Prefix == nil) == (r.Filter == nil):
		return MalformedXML
	case r.Expiration == nil && r.Noncurrent == nil && r.Abort == nil:
		return invalidRequest("At least one action needs to be specified in a rule.")
	case r.Prefix != nil && len(*r.Prefix) > 1024:
		return invalidRequest("The maximum size of a prefix is 1024.")
	}
	if err := longID(r.ID); err != nil {
		return err
	}
	if err := r.Filter.validate(); err != nil {
		return err
	}
	if err := r.Expiration.validate(); err != nil {
		return err
	}
	if err := r.Noncurrent.validate(); err != nil {
		return err
	}
	return r.narrow()
}

// narrow refuses filters that an action cannot obey.
func (r *LifecycleRule) narrow() error {
	f := r.filter()
	sized := f.ObjectSizeGreaterThan != nil || f.ObjectSizeLessThan != nil
	markers := r.Expiration != nil && r.Expiration.ExpiredObjectDeleteMarker != nil
	switch {
	case r.Abort != nil && (r.Abort.DaysAfterInitiation == nil):
		return MalformedXML
	case r.Abort != nil && (*r.Abort.DaysAfterInitiation < 1 || *r.Abort.DaysAfterInitiation > maxDays):
		return invalidArgument("'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer")
	case r.Abort != nil && len(f.Tags) > 0:
		return invalidRequest("AbortIncompleteMultipartUpload cannot be specified with Tags.")
	case r.Abort != nil && sized:
		return invalidRequest("AbortIncompleteMultipartUpload cannot be specified with Object Size.")
	case markers && len(f.Tags) > 0:
		return invalidRequest("ExpiredObjectDeleteMarker cannot be specified with Tags.")
	case markers && sized:
		return invalidRequest("ExpiredObjectDeleteMarker cannot be specified with Object Size.")
	}
	return nil
}

func (e *Expiration) validate() error {
	if e == nil {
		return nil
	}
	n := 0
	for _, there := range []bool{e.Days != nil, e.Date != nil, e.ExpiredObjectDeleteMarker != nil} {
		if there {
			n++
		}
	}
	switch {
	case n != 1:
		return MalformedXML
	case e.Days != nil && (*e.Days < 1 || *e.Days > maxDays):
		return invalidArgument("'Days' for Expiration action must be a positive integer")
	case e.Date != nil && !e.Date.Equal(e.Date.Truncate(24*time.Hour)):
		return invalidArgument("'Date' must be at midnight GMT")
	}
	return nil
}

func (e *NoncurrentExpiration) validate() error {
	switch {
	case e == nil:
		return nil
	case e.NoncurrentDays == nil:
		return MalformedXML
	case *e.NoncurrentDays < 1 || *e.NoncurrentDays > maxDays:
		return invalidArgument("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")
	case e.NewerNoncurrentVersions != nil && (*e.NewerNoncurrentVersions < 1 || *e.NewerNoncurrentVersions > 100):
		return invalidArgument("'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be a positive integer up to 100")
	}
	return nil
}

func (r *LifecycleRule) filter() And {
	if r.Filter == nil {
		return And{Prefix: r.Prefix}
	}
	return r.Filter.all()
}
