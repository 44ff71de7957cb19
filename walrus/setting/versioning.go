package setting

import (
	"encoding/xml"

	"karri/shared/fault"
)

// Versioning is whether overwritten and deleted objects are kept as versions.
// It is not kept as a document: the bucket's row says it.
type Versioning struct {
	XMLName   xml.Name         `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
	Status    VersioningStatus `xml:",omitempty"` // "": there never were versions
	MFADelete Switch           `xml:"MfaDelete,omitempty"`
}

// A VersioningStatus is how versions are kept now.
type VersioningStatus string

func (VersioningStatus) values() string { return "Enabled Suspended" }

func (v *Versioning) validate() error {
	switch {
	case v.MFADelete == Enabled:
		return notImplemented("MFA delete is not implemented.")
	case v.Status == "" && v.MFADelete == "":
		return fault.New(fault.Invalid, "IllegalVersioningConfigurationException", "The Versioning element must be specified")
	case v.Status == "":
		return MalformedXML
	}
	return nil
}
