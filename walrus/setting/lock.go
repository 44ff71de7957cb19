package setting

import (
	"encoding/xml"
	"time"

	"karri/shared/fault"
)

// Lock is a bucket's object lock, with the retention of objects whose writer
// does not say it.
type Lock struct {
	XMLName xml.Name   `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ObjectLockConfiguration"`
	Status  LockStatus `xml:"ObjectLockEnabled"`
	Rule    *LockRule
}

// A LockStatus is that it is on; there is no other.
type LockStatus string

func (LockStatus) values() string { return "Enabled" }

// LockRule is the default.
type LockRule struct {
	Default DefaultRetention `xml:"DefaultRetention"`
}

// DefaultRetention is a mode and days or years.
type DefaultRetention struct {
	Mode  LockMode
	Days  *int
	Years *int
}

// A LockMode is how firm a retention is.
type LockMode string

// The modes: who may bypass governance may delete; nobody bypasses compliance.
const (
	Governance LockMode = "GOVERNANCE"
	Compliance LockMode = "COMPLIANCE"
)

func (LockMode) values() string { return "GOVERNANCE COMPLIANCE" }

func (l *Lock) validate() error {
	if l.Rule == nil {
		return nil
	}
	d := l.Rule.Default
	period, most := d.Days, 36500
	if d.Years != nil {
		period, most = d.Years, 100
	}
	switch {
	case (d.Days == nil) == (d.Years == nil):
		return MalformedXML
	case *period < 1:
		return fault.New(fault.Invalid, "InvalidRetentionPeriod", "Default retention period must be a positive integer value.")
	case *period > most:
		return fault.New(fault.Invalid, "InvalidRetentionPeriod", "Default retention period too large.")
	}
	return nil
}

// Retention returns what an object that is made now gets when its writer does
// not say it.
func (l *Lock) Retention(now time.Time) (mode LockMode, until time.Time, ok bool) {
	if l == nil || l.Rule == nil {
		return "", time.Time{}, false
	}
	d := l.Rule.Default
	if d.Years != nil {
		return d.Mode, now.UTC().AddDate(*d.Years, 0, 0), true
	}
	return d.Mode, now.UTC().AddDate(0, 0, *d.Days), true
}
