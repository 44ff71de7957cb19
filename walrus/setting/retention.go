package setting

import (
	"encoding/xml"
	"time"

	"karri/shared/fault"
)

// Retention is the document of how long a version is kept from being ended. An
// empty one says that it is not kept.
type Retention struct {
	XMLName xml.Name   `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Retention"`
	Mode    LockMode   `xml:",omitempty"`
	Until   *time.Time `xml:"RetainUntilDate"`
}

func (r *Retention) validate() error {
	if (r.Mode == "") != (r.Until == nil) {
		return MalformedXML
	}
	return nil
}

// LegalHold is the document of whether a version is kept until somebody says
// otherwise.
type LegalHold struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LegalHold"`
	Status  HoldStatus
}

// A HoldStatus is on or off.
type HoldStatus string

func (HoldStatus) values() string { return "ON OFF" }

func (h *LegalHold) validate() error { return nil }

// ParseRetention reads a retention from the two headers that say it, both of
// which are there.
func ParseRetention(mode, until string) (LockMode, time.Time, error) {
	m := LockMode(mode)
	if m != Governance && m != Compliance {
		return "", time.Time{}, fault.New(fault.Invalid, "InvalidArgument", "Unknown wormMode directive.")
	}
	t, err := time.Parse(time.RFC3339, until)
	if err != nil {
		return "", time.Time{}, invalidArgument("The retain until date must be provided in ISO 8601 format")
	}
	return m, t.UTC(), nil
}
