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
// The current object of a key has a row that is found by one get, and so has
// each older version, whose row's key ends in its number, the newest first. A
// version keeps its claims when it stops being current: it moves, by itself, in
// the batch that puts another above it or takes away what hid it. A delete
// marker stands among the older versions even while it is the newest of them.
// The rows of current objects are therefore all that List shows, and a listing
// is a scan of a range that jumps over each common prefix; it never walks what
// it does not show. One that came to common prefixes alone is remembered until a
// change makes it untrue (rollup.go).
//
// One Store is the logic of all this; below it is an engine, an ordered store
// of keys and values with transactions and locks by name: embedded, for the one
// process of one machine, or a table of PostgreSQL, which several processes may
// share. Each sees what another was told is done. The suite in indextest is
// what every engine must pass.
//
// How much a bucket holds is counted in the same batch, by an addition that
// needs no lock; where a quota bounds it, changes of that bucket that make it
// larger take turns.
package index

import (
	"context"

	"karri/shared/fault"
)

// Buckets are the buckets there are.
type Buckets interface {
	// CreateBucket answers BucketAlreadyOwnedByYou or BucketAlreadyExists when it is there.
	CreateBucket(ctx context.Context, b *Bucket) error
	// Bucket returns what others hold too: the caller must not change it.
	Bucket(ctx context.Context, name string) (*Bucket, error)
	// UpdateBucket gives change a copy and keeps what it makes of it, all but the
	// name, the owner and the birth. It returns the bucket as it is then.
	UpdateBucket(ctx context.Context, name string, change func(*Bucket) error) (*Bucket, error)
	// DeleteBucket answers BucketNotEmpty while there are versions or delete
	// markers; open uploads end with it.
	DeleteBucket(ctx context.Context, name string) error
	// BucketsOf lists the buckets of an account by name; of all when it is "".
	BucketsOf(ctx context.Context, account string, q Query) (Listing[*Bucket], error)
	// BucketsWith lists the buckets that have a setting, or one of those called
	// setting/ID, by name.
	BucketsWith(ctx context.Context, setting string, q Query) (Listing[*Bucket], error)
	// Usage is what all versions in the bucket come to, without delete markers,
	// and the bytes of the parts of open uploads.
	Usage(ctx context.Context, bucket string) (Usage, error)
}

// Objects are the objects there are.
type Objects interface {
	// Put makes o the current object of its key if when allows it, and sets its version.
	Put(ctx context.Context, o *Object, when Condition) error
	// Object returns a version, the current one for "": what is on disk, never a
	// state that a crash can undo. So do List and Versions. A delete marker is
	// returned as an Object that says so.
	Object(ctx context.Context, bucket, key, version string) (*Object, error)
	// Delete ends a version. With version "" it ends the object, or puts a delete
	// marker on it where the bucket keeps versions. It succeeds when there is
	// nothing, unless when asks for something, and refuses what is locked.
	Delete(ctx context.Context, bucket, key, version string, when Condition) (Deleted, error)
	// Update changes what is told of a version, never its bytes, ETag or ID. It
	// gives change a copy and returns what it made of it.
	Update(ctx context.Context, bucket, key, version string, change func(*Object) error, when Condition) (*Object, error)
	// List lists the current objects; a key whose newest version is a delete
	// marker is not there.
	List(ctx context.Context, bucket string, q Query) (Listing[Entry], error)
	// Versions lists all versions and delete markers, by key, the newest of a key
	// first. Query.AfterID is the version of the key After that the page begins behind.
	Versions(ctx context.Context, bucket string, q Query) (Listing[Entry], error)
	// Walk calls each for what Versions would list behind After and AfterID, up to
	// Max of them where that is not 0, but as whole rows, as they all were at one
	// moment.
	Walk(ctx context.Context, bucket string, q Query, each func(*Object) error) error
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
	// Events returns at most max events of a queue above after. They are durable.
	// Those of one key are in their order. Of another key, one with a lower number
	// may still come: who has seen to some forgets them by EventsDone and begins
	// again from 0.
	Events(ctx context.Context, queue string, after uint64, max int) ([]Event, error)
	// EventsDone forgets events of a queue.
	EventsDone(ctx context.Context, queue string, seqs ...uint64) error
	// Queues returns the queues that hold events, by name.
	Queues(ctx context.Context) ([]Queue, error)
}

// Accounts are what accounts may hold in all their buckets together.
type Accounts interface {
	// Account returns what an account holds and what it may hold; a quota of 0 is none.
	Account(ctx context.Context, account string) (used, quota Usage, err error)
	SetQuota(ctx context.Context, account string, quota Usage) error
	Quota(ctx context.Context, account string) (Usage, error)
}

// Marks are what the mill remembers of how far it came.
type Marks interface {
	// Mark returns nil when there is none.
	Mark(ctx context.Context, name string) ([]byte, error)
	// SetMark changes a mark from old (nil: none) to new (nil: none); it answers
	// Moved when it is not old any more.
	SetMark(ctx context.Context, name string, old, new []byte) error
}

// Index is all of it.
type Index interface {
	Buckets
	Objects
	Uploads
	Outbox
	Accounts
	Marks
	// Verify reads the whole index, as it is at one moment, tells say what in it
	// does not agree with the rest, and returns how many rows of objects and
	// parts it saw.
	Verify(ctx context.Context, say func(problem string)) (int, error)
	// Mend puts right what Verify finds wrong of claims and counts, and tells say
	// what it did. What a row claims no longer is left for the mill.
	Mend(ctx context.Context, say func(done string)) error
}

// What an index refuses with; the codes are S3's, but for Moved.
var (
	NoSuchBucket       = fault.New(fault.Missing, "NoSuchBucket", "The specified bucket does not exist")
	BucketTaken        = fault.New(fault.Conflict, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
	BucketYours        = fault.New(fault.Conflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	BucketNotEmpty     = fault.New(fault.Conflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	NoSuchKey          = fault.New(fault.Missing, "NoSuchKey", "The specified key does not exist.")
	NoSuchVersion      = fault.New(fault.Missing, "NoSuchVersion", "The specified version does not exist.")
	Locked             = fault.New(fault.Denied, "AccessDenied", "Access Denied because object protected by object lock.")
	TooManyBuckets     = fault.New(fault.Invalid, "TooManyBuckets", "You have attempted to create more buckets than allowed.")
	QuotaExceeded      = fault.New(fault.Denied, "QuotaExceeded", "The bucket would hold more than its quota allows.")
	BadState           = fault.New(fault.Conflict, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
	NoSuchUpload       = fault.New(fault.Missing, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	InvalidPart        = fault.New(fault.Invalid, "InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
	PreconditionFailed = fault.New(fault.Conflict, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	Moved              = fault.New(fault.Later, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource. Try again.")
	NoSuchLine         = fault.New(fault.Missing, "NoSuchLine", "The line has been worked off.")
	Damaged            = fault.New(fault.Broken, "InternalError", "The index is damaged.")
)
