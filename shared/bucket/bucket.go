// Package bucket is how a component keeps and reads objects of walrus.
//
// Components keep what is theirs in system buckets, named karri-..., which
// users never see: registered images, snapshots' chunks and manifests. For
// reads a user's object by that user's rights and no more, so that no
// component can be talked into handing one account's bytes to another.
//
// Put is whole or absent: an object appears when its last byte is on walrus's
// disk, and replaces an older one of the same key in one instant. A put, a
// delete, a copy or a make that is done twice ends as if done once, so a step
// that died in its middle is simply done again. Bytes that walrus finds
// damaged while a Get streams end it with an error, never with wrong bytes.
package bucket

import (
	"context"
	"io"
	"time"

	"karri/shared/fault"
)

// A Store is walrus as a component sees it. Faults: NoSuchBucket and NoSuchKey
// (Missing), AccessDenied (Denied), InvalidRange and IncompleteBody (Invalid),
// and kind Later when walrus is away.
type Store interface {
	// Make creates a system bucket unless it is there.
	Make(ctx context.Context, bucket string) error
	// Put stores exactly size bytes of r. A body that is shorter or longer is
	// refused with IncompleteBody and nothing is stored.
	Put(ctx context.Context, bucket, key string, r io.Reader, size int64) (Object, error)
	// Get streams n bytes from offset off, to the end when n is negative; what
	// lies beyond the end is left out. Close the reader.
	Get(ctx context.Context, bucket, key string, off, n int64) (io.ReadCloser, Object, error)
	Head(ctx context.Context, bucket, key string) (Object, error)
	// Delete succeeds when the object is not there.
	Delete(ctx context.Context, bucket, key string) error
	// List returns at most max objects (1000 when 0) whose key has the prefix
	// and comes after the key after, in the order of the keys' bytes.
	List(ctx context.Context, bucket, prefix, after string, max int) (Page, error)
	// Copy makes the object to a copy of from without moving its bytes. What
	// later happens to from does not change the copy.
	Copy(ctx context.Context, from, to Ref) (Object, error)
	// Buckets returns the names of the buckets that belong to whom the Store
	// acts for, sorted.
	Buckets(ctx context.Context) ([]string, error)
	// For returns a Store that may read what the account may read, and nothing
	// else. It may not write, but for Copy, whose target is written with the
	// component's own rights.
	For(account string) Store
}

// A Ref names an object.
type Ref struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// Object is what is known of an object beside its bytes.
type Object struct {
	Key      string
	Size     int64  // of the whole object, also where a part was asked
	ETag     string // without quotes
	Modified time.Time
}

// Page is one answer of List.
type Page struct {
	Objects []Object
	More    bool // ask again after the last key
}

// Faults that a Store answers with; test with fault.KindOf or fault.CodeOf.
var (
	NoSuchBucket   = fault.New(fault.Missing, "NoSuchBucket", "The specified bucket does not exist.")
	NoSuchKey      = fault.New(fault.Missing, "NoSuchKey", "The specified key does not exist.")
	AccessDenied   = fault.New(fault.Denied, "AccessDenied", "Access Denied")
	InvalidRange   = fault.New(fault.Invalid, "InvalidRange", "The requested range is not satisfiable.")
	IncompleteBody = fault.New(fault.Invalid, "IncompleteBody", "The body has not the number of bytes that was announced.")
)

// SystemAccount owns the system buckets.
const SystemAccount = "000000000000"

// SystemPrefix begins the name of each system bucket; users cannot make such names.
const SystemPrefix = "karri-"
