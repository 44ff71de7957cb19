package s3

import (
	"cmp"
	"strings"

	"karri/shared/fault"
	"karri/walrus/content"
	"karri/walrus/index"
	"karri/walrus/replica"
)

const (
	classHeader  = "X-Amz-Storage-Class"
	defaultClass = "STANDARD"
	lesserClass  = "REDUCED_REDUNDANCY"
)

// newObject reads all that the headers say of the object that the request
// makes, but for its bytes.
func (c *call) newObject() (*index.Object, error) {
	o := &index.Object{Entry: index.Entry{Key: c.key, Modified: c.now()}, Bucket: c.bucket, ID: content.NewID()}
	var err error
	if o.Headers, o.Meta, err = described(c.r.Header); err != nil {
		return nil, err
	}
	if o.Owner, o.ACL, err = c.given(); err != nil {
		return nil, err
	}
	if err := c.class(o); err != nil {
		return nil, err
	}
	if o.Tags, err = c.tagged(); err != nil {
		return nil, err
	}
	if c.r.Header.Get(replicaHeader) != "" {
		if err := c.demand("s3:ReplicateObject"); err != nil {
			return nil, err
		}
		o.Replication = replica.Replica
	}
	o.Retention, o.Hold, err = c.retained()
	return o, err
}

// replicaHeader says of a new object that it is a copy from another store.
const replicaHeader = "X-Amz-Replication-Status"

// class keeps the storage class that the headers ask for. All bytes are stored
// alike; the word for fewer copies is kept since clients look for it.
func (c *call) class(o *index.Object) error {
	switch v := strings.Join(c.r.Header.Values(classHeader), ","); v {
	case "", defaultClass:
	case lesserClass:
		o.Headers[classHeader], o.Reduced = v, true
	default:
		return fault.New(fault.Invalid, "InvalidStorageClass", "The storage class you specified is not valid")
	}
	return nil
}

func classOf(e *index.Entry) string {
	if e.Reduced {
		return lesserClass
	}
	return defaultClass
}

func classOfUpload(u *index.Upload) string { return cmp.Or(u.Headers[classHeader], defaultClass) }
