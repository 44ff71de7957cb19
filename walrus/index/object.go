package index

import (
	"time"

	"karri/walrus/access"
	"karri/walrus/checksum"
	"karri/walrus/seal"
)

// The states of a bucket's versioning; a bucket that never had versions has "".
const (
	Enabled   = "Enabled"
	Suspended = "Suspended"
)

// Null is the version of an object that was put while its bucket made none.
const Null = "null"

// Bucket is one bucket.
type Bucket struct {
	Name       string            `json:"name"`
	Owner      string            `json:"owner"`             // account
	Creator    string            `json:"creator,omitempty"` // id of the user or role of it that made it; "": the account itself
	Region     string            `json:"region"`
	Created    time.Time         `json:"created"`
	Revision   uint64            `json:"revision,omitempty"`   // grows with each change, also over an end and a new birth
	Versioning string            `json:"versioning,omitempty"` // "", Enabled or Suspended
	Locked     bool              `json:"locked,omitempty"`     // object lock is on; then versioning is Enabled
	Quota      Usage             `json:"quota,omitzero"`       // none where 0
	Settings   map[string][]byte `json:"settings,omitempty"`   // documents by name (package setting)
}

// Usage is how much a bucket holds, or may hold.
type Usage struct {
	Objects int64 `json:"objects,omitempty"`
	Bytes   int64 `json:"bytes,omitempty"`
	Buckets int64 `json:"buckets,omitempty"` // of an account
}

// Entry is what a listing shows of an object.
type Entry struct {
	Key       string             `json:"-"`
	Size      int64              `json:"-"`
	Modified  time.Time          `json:"-"`
	ETag      string             `json:"-"` // without quotes
	Version   string             `json:"-"` // Null in a bucket without versions
	Owner     string             `json:"-"` // account that put it; "": the bucket's owner
	Marker    bool               `json:"-"` // a delete marker
	Latest    bool               `json:"-"` // of Versions and Object: the current version
	Algorithm checksum.Algorithm `json:"-"` // of the checksum
	Composite bool               `json:"-"` // so is the checksum
	Reduced   bool               `json:"-"` // of the storage class REDUCED_REDUNDANCY, in name
}

// Object is one version of an object.
type Object struct {
	Entry
	Bucket      string            `json:"-"`
	ID          string            `json:"id"` // of this version's bytes; fresh for each Put
	Pieces      []Piece           `json:"pieces,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"` // Content-Type and the like
	Meta        map[string]string `json:"meta,omitempty"`    // of the user; lower-case names
	Checksum    Checksum          `json:"checksum,omitzero"`
	Upload      string            `json:"upload,omitempty"` // the upload that it was made by
	Tags        []Tag             `json:"tags,omitempty"`
	Retention   *Retention        `json:"retention,omitempty"`
	Hold        bool              `json:"hold,omitempty"`
	Replication string            `json:"replication,omitempty"` // status
	ACL         *access.ACL       `json:"acl,omitempty"`         // nil: its owner's alone
	Seal        *seal.Envelope    `json:"seal,omitempty"`        // nil: the bytes are stored as they are
}

// Tag is one tag of an object.
type Tag struct {
	Key   string `json:"k"`
	Value string `json:"v"`
}

// Retention keeps a version from being ended.
type Retention struct {
	Mode  string    `json:"mode"` // Governance or Compliance
	Until time.Time `json:"until"`
}

// The modes of a retention.
const (
	Governance = "GOVERNANCE" // those who may can bypass it
	Compliance = "COMPLIANCE"
)

// Deleted is what a Delete came to.
type Deleted struct {
	Version string // that was ended, or of the marker that was made; "" in a bucket without versions
	Marker  bool   // it is a delete marker
}

// Checksum is an object's checksum in S3's form.
type Checksum struct {
	Algorithm checksum.Algorithm `json:"algorithm"`
	Composite bool               `json:"composite,omitempty"` // of the parts' checksums, not of the bytes
	Value     string             `json:"value"`
}

// Piece is where a run of an object's bytes is.
type Piece struct {
	ID       string `json:"id"`
	Size     int64  `json:"size"`               // of what it stands for; sealed it is longer
	Inline   bool   `json:"inline,omitempty"`   // in the index
	Part     int    `json:"part,omitempty"`     // the part that it was uploaded as
	Checksum string `json:"checksum,omitempty"` // of that part, by the algorithm of the object's
	Data     []byte `json:"-"`                  // of an inline piece that is being put for the first time
}

// Upload is a multipart upload.
type Upload struct {
	Bucket    string             `json:"-"`
	Key       string             `json:"-"`
	ID        string             `json:"-"`
	Initiated time.Time          `json:"initiated"`
	Account   string             `json:"account"`
	ARN       string             `json:"arn"`
	Headers   map[string]string  `json:"headers,omitempty"`
	Meta      map[string]string  `json:"meta,omitempty"`
	Algorithm checksum.Algorithm `json:"algorithm"`
	Composite bool               `json:"composite,omitempty"`
	Asked     bool               `json:"asked,omitempty"` // the user named the algorithm
	Owner     string             `json:"owner,omitempty"` // of the object to be
	Tags      []Tag              `json:"tags,omitempty"`
	Retention *Retention         `json:"retention,omitempty"`
	Hold      bool               `json:"hold,omitempty"`
	Replica   string             `json:"replica,omitempty"` // of the object to be: its Replication
	ACL       *access.ACL        `json:"acl,omitempty"`
	Seal      *seal.Envelope     `json:"seal,omitempty"`
}

// Part is one part of an upload.
type Part struct {
	Number   int                `json:"number"`
	Size     int64              `json:"size"`
	ETag     string             `json:"etag"`
	Modified time.Time          `json:"modified"`
	Checksum string             `json:"checksum"`       // by the upload's algorithm
	Said     checksum.Algorithm `json:"said,omitempty"` // another that its sender computed
	SaidSum  string             `json:"said_sum,omitempty"`
	Piece    Piece              `json:"piece"`
	Counted  bool               `json:"counted,omitempty"` // in what the bucket holds; set by the index
}

// Condition is what must be so at the moment of the commit.
type Condition struct {
	IfMatch     string    // the ETag that the key's object must have; "*": any
	IfNoneMatch bool      // the key must have no object
	Pin         *Pin      // of a Delete: that it ends or hides this one
	Bypass      bool      // may end what governance retains
	Now         time.Time // for locks and of a delete marker; the clock's when zero
	Owner       string    // of a delete marker
	Event       *Event    // told when the change is made; the index fills in version, size and ETag
}

// A Pin names the version whose pieces the new one shares. It must still be
// there with that ID, else Moved.
type Pin struct{ Bucket, Key, Version, ID string }

// Query is which part of a listing is wanted.
type Query struct {
	Prefix    string
	Delimiter string
	After     string // begin after this key or common prefix
	AfterID   string // of uploads and versions: begin after this one of the key After
	Max       int    // of items and common prefixes together
}

// Listing is one page, each list in order.
type Listing[T any] struct {
	Items    []T
	Prefixes []string
	More     bool
	Last     string // the last key or common prefix on the page
	LastID   string // of Versions, when an item is last: its version
}

// Line is one line of the outbox.
type Line struct {
	Seq  uint64  `json:"-"`
	Free []Piece `json:"free"` // a row or part that claimed these is gone
}

// Made returns when the line was written.
func (l Line) Made() time.Time { return time.Unix(0, int64(l.Seq)) }

// A Target is a queue that an event is put into, and the rule that says so.
type Target struct{ Queue, Rule string }

// Queue is a queue of events.
type Queue struct {
	Name   string
	Length int       // counted up to some hundred thousand
	Oldest time.Time // when its first event happened
}

// Event is something that happened to an object and that someone wants to know.
type Event struct {
	Seq     uint64   `json:"-"`
	Queue   string   `json:"-"`              // that it was read from
	Rule    string   `json:"rule,omitempty"` // that put it there
	Targets []Target `json:"-"`              // where it is put; nowhere when empty
	// Address, when there is one, says that instead, of the object as it will be;
	// it may set its Replication. It is called under the object's lock.
	Address   func(o *Object) []Target `json:"-"`
	Name      string                   `json:"name"` // "s3:ObjectCreated:Put"
	Bucket    string                   `json:"bucket"`
	Key       string                   `json:"key"`
	Version   string                   `json:"version,omitempty"`
	ETag      string                   `json:"etag,omitempty"`
	Size      int64                    `json:"size,omitempty"`
	Time      time.Time                `json:"time"`
	Account   string                   `json:"account,omitempty"`
	ARN       string                   `json:"arn,omitempty"`
	Source    string                   `json:"source,omitempty"` // the caller's address
	RequestID string                   `json:"request_id,omitempty"`
	Detail    string                   `json:"detail,omitempty"` // what the mill wants to know besides
}
