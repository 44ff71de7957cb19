package setting

import (
	"encoding/xml"
	"regexp"
	"time"
)

// Inventory says which list of a bucket's objects is written where, and how
// often.
type Inventory struct {
	XMLName     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InventoryConfiguration"`
	Destination InventoryDestination
	Enabled     bool `xml:"IsEnabled"`
	Filter      *InventoryFilter
	ID          string            `xml:"Id"`
	Versions    InventoryVersions `xml:"IncludedObjectVersions"`
	Fields      *InventoryFields  `xml:"OptionalFields"`
	Schedule    InventorySchedule
}

// InventoryDestination is where.
type InventoryDestination struct {
	Bucket InventoryBucket `xml:"S3BucketDestination"`
}

// InventoryBucket is the bucket that lists are written to.
type InventoryBucket struct {
	Account    *string       `xml:"AccountId"`
	ARN        string        `xml:"Bucket"` // arn:aws:s3:::BUCKET
	Encryption []unsupported `xml:",omitempty"`
	Format     InventoryFormat
	Prefix     *string
}

// An InventoryFormat is how a list is written; we write CSV.
type InventoryFormat string

func (InventoryFormat) values() string { return "CSV ORC Parquet" }

// InventoryFilter narrows it to some keys.
type InventoryFilter struct {
	Prefix string
}

// InventoryVersions is All or Current.
type InventoryVersions string

// Whether a list has versions that are not current too.
const (
	AllVersions     InventoryVersions = "All"
	CurrentVersions InventoryVersions = "Current"
)

func (InventoryVersions) values() string { return "All Current" }

// InventoryFields are the columns besides bucket, key and version.
type InventoryFields struct {
	Names []InventoryField `xml:"Field,omitempty"`
}

// An InventoryField is a column.
type InventoryField string

func (InventoryField) values() string {
	return "Size LastModifiedDate StorageClass ETag IsMultipartUploaded ReplicationStatus EncryptionStatus ObjectLockRetainUntilDate ObjectLockMode ObjectLockLegalHoldStatus IntelligentTieringAccessTier BucketKeyStatus ChecksumAlgorithm ObjectAccessControlList ObjectOwner LifecycleExpirationDate"
}

// InventorySchedule is how often.
type InventorySchedule struct {
	Frequency InventoryFrequency
}

// An InventoryFrequency is Daily or Weekly.
type InventoryFrequency string

func (InventoryFrequency) values() string { return "Daily Weekly" }

var inventoryID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (v *Inventory) validate() error {
	to := v.Destination.Bucket
	if _, ok := BucketOf(to.ARN); !ok {
		return invalidArgument("Invalid bucket ARN.")
	}
	switch {
	case !inventoryID.MatchString(v.ID):
		return invalidArgument("Inventory configuration ID is invalid.")
	case to.Format != "CSV":
		return notImplemented("Inventories in the format %s are not implemented: CSV is.", to.Format)
	case len(to.Encryption) > 0:
		return notImplemented("Encryption of inventories is not implemented but by the destination's default.")
	case to.Prefix != nil && len(*to.Prefix) > 512:
		return invalidArgument("The destination prefix is too long.")
	case v.Fields == nil:
		return nil
	}
	seen := map[InventoryField]bool{}
	for _, f := range v.Fields.Names {
		if seen[f] {
			return MalformedXML
		}
		seen[f] = true
	}
	return nil
}

// Target returns the bucket that lists are written to.
func (v *Inventory) Target() string {
	name, _ := BucketOf(v.Destination.Bucket.ARN)
	return name
}

// Due reports whether a list has to be written now, when the last one was at
// last: each day, or each week from Sunday, in UTC.
func (v *Inventory) Due(last, now time.Time) bool {
	start := now.UTC().Truncate(24 * time.Hour)
	if v.Schedule.Frequency == "Weekly" {
		start = start.AddDate(0, 0, -int(start.Weekday()))
	}
	return v.Enabled && last.Before(start)
}
