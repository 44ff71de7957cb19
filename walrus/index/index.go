// Package index knows which objects there are, in the order of their keys.
//
// Every change is one synced batch: the row, the claims on the pieces that
// hold its bytes, the end of the row that it replaces, and a line in the
// outbox that tells the mill which pieces may have become rubbish. Either all
// of it is there after a crash or nothing. Concurrent batches share a sync.
//
// Bytes belong to pieces (package content), or, when they are few, stand in
// the index beside the row. A row claims its pieces, and several rows may claim
// the same ones: a copy costs a row. The invariant that makes this safe: a
// piece that has lost its last claim never gets one again, because a copy is
// made only from a row that is there at the moment of the commit.
//
// A listing is a scan of a range that jumps over each common prefix; it never
// walks what it does not show. The keys of object rows end in a number that
// makes the newest come first, so that several versions of a key can stand
// side by side.
package index

import (
	"context"
	"time"

	"karri/shared/fault"
	"karri/walrus/checksum"
)

// Buckets are the buckets there are.
type Buckets interface {
	// CreateBucket answers BucketAlreadyOwnedByYou or BucketAlreadyExists when it is there.
	CreateBucket(ctx context.Context, b Bucket) error
	Bucket(ctx context.Context, name string) (Bucket, error)
	// DeleteBucket answers BucketNotEmpty while there are objects; open uploads end with it.
	DeleteBucket(ctx context.Context, name string) error
	// BucketsOf lists the buckets of an account by name.
	BucketsOf(ctx context.Context, account string, q Query) (Listing[Bucket], error)
}

// Objects are the objects there are.
type Objects interface {
	// Put makes o the object of its key if when allows it.
	Put(ctx context.Context, o *Object, when Condition) error
	// Object returns what is on disk: never a state that a crash can undo. So
	// does List.
	Object(ctx context.Context, bucket, key string) (*Object, error)
	// Delete succeeds when there is none, unless when asks for one.
	Delete(ctx context.Context, bucket, key string, when Condition) error
	List(ctx context.Context, bucket string, q Query) (Listing[Entry], error)
	// Inline returns the bytes of a piece that stands in the index.
	Inline(ctx context.Context, piece string) ([]byte, error)
}

// Uploads are the multipart uploads that are open.
type Uploads interface {
	CreateUpload(ctx context.Context, u *Upload) error
	Upload(ctx context.Context, bucket, key, id string) (*Upload, error)
	// PutPart replaces a part of the same number.
	PutPart(ctx context.Context, u *Upload, p Part) error
	// Parts lists at most max parts with a number above after, in order; all when max is 0.
	Parts(ctx context.Context, uploadID string, after, max int) (parts []Part, more bool, err error)
	// Complete makes o, whose pieces are those of parts, the object of its key
	// and ends the upload. A part that has been replaced since it was read is
	// answered with InvalidPart.
	Complete(ctx context.Context, u *Upload, parts []Part, o *Object, when Condition) error
	Abort(ctx context.Context, bucket, key, id string) error
	// Uploads lists those of a bucket by key, then by age.
	Uploads(ctx context.Context, bucket string, q Query) (Listing[Upload], error)
}

// Outbox is what the mill has to do.
type Outbox interface {
	// Lines returns at most max lines, the oldest first.
	Lines(ctx context.Context, max int) ([]Line, error)
	Line(ctx context.Context, seq uint64) (Line, error)
	// Claimed reports whether a row or a part claims the piece.
	Claimed(ctx context.Context, piece string) (bool, error)
	// Durable returns when all that was read before is on disk. A change can be
	// read before that, and what must not outlive its loss has to wait: the
	// bytes of a row that was seen to be gone may not go before the row.
	Durable(ctx context.Context) error
	// Done forgets a line, and the bytes of the inline pieces named with it.
	Done(ctx context.Context, seq uint64, inline []string) error
}

// Index is all of it.
type Index interface {
	Buckets
	Objects
	Uploads
	Outbox
}

// Bucket is one bucket.
type Bucket struct {
	Name    string    `json:"name"`
	Owner   string    `json:"owner"` // account
	Region  string    `json:"region"`
	Created time.Time `json:"created"`
}

// Entry is what a listing shows of an object.
type Entry struct {
	Key      string    `json:"-"`
	Size     int64     `json:"-"`
	Modified time.Time `json:"-"`
	ETag     string    `json:"-"` // without quotes
}

// Object is one object.
type Object struct {
	Entry
	Bucket   string            `json:"-"`
	ID       string            `json:"id"` // of this state of the key; fresh for each Put
	Pieces   []Piece           `json:"pieces,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"` // Content-Type and the like
	Meta     map[string]string `json:"meta,omitempty"`    // of the user; lower-case names
	Checksum Checksum          `json:"checksum,omitzero"`
	Upload   string            `json:"upload,omitempty"` // the upload that it was made by
}

// Checksum is an object's checksum in S3's form.
type Checksum struct {
	Algorithm checksum.Algorithm `json:"algorithm"`
	Composite bool               `json:"composite,omitempty"` // of the parts' checksums, not of the bytes
	Value     string             `json:"value"`
}

// Piece is where a run of an object's bytes is.
type Piece struct {
	ID     string `json:"id"`
	Size   int64  `json:"size"`
	Inline bool   `json:"inline,omitempty"` // in the index
	Part   int    `json:"part,omitempty"`   // the part that it was uploaded as
	Data   []byte `json:"-"`                // of an inline piece that is being put for the first time
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
}

// Part is one part of an upload.
type Part struct {
	Number   int       `json:"number"`
	Size     int64     `json:"size"`
	ETag     string    `json:"etag"`
	Modified time.Time `json:"modified"`
	Checksum string    `json:"checksum"` // by the upload's algorithm
	Piece    Piece     `json:"piece"`
}

// Condition is what must be so at the moment of the commit.
type Condition struct {
	IfMatch     string // the ETag that the key's object must have; "*": any
	IfNoneMatch bool   // the key must have no object
	Pin         *Pin
}

// A Pin names the object whose pieces the new one shares. It must still be in
// that state, else Moved.
type Pin struct{ Bucket, Key, ID string }

// Query is which part of a listing is wanted.
type Query struct {
	Prefix    string
	Delimiter string
	After     string // begin after this key or common prefix
	AfterID   string // of uploads: begin after this one of the key After
	Max       int    // of items and common prefixes together
}

// Listing is one page, each list in order.
type Listing[T any] struct {
	Items    []T
	Prefixes []string
	More     bool
	Last     string // the last key or common prefix on the page
}

// Line is one line of the outbox.
type Line struct {
	Seq  uint64  `json:"-"`
	Free []Piece `json:"free"` // a row or part that claimed these is gone
}

// What an index refuses with; the codes are S3's, but for Moved.
var (
	NoSuchBucket       = fault.New(fault.Missing, "NoSuchBucket", "The specified bucket does not exist")
	BucketTaken        = fault.New(fault.Conflict, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
	BucketYours        = fault.New(fault.Conflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	BucketNotEmpty     = fault.New(fault.Conflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	NoSuchKey          = fault.New(fault.Missing, "NoSuchKey", "The specified key does not exist.")
	NoSuchUpload       = fault.New(fault.Missing, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	InvalidPart        = fault.New(fault.Invalid, "InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
	PreconditionFailed = fault.New(fault.Conflict, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	Moved              = fault.New(fault.Later, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource. Try again.")
	NoSuchLine         = fault.New(fault.Missing, "NoSuchLine", "The line has been worked off.")
	Damaged            = fault.New(fault.Broken, "InternalError", "The index is damaged.")
)
