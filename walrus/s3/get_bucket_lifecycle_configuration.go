package s3

import (
	"net/http"

	"karri/shared/fault"
)

var _ = define(operation{Name: "GetBucketLifecycleConfiguration", Action: "s3:GetLifecycleConfiguration", Method: http.MethodGet, On: onBucket, Sub: "lifecycle", Run: (*call).getBucketLifecycle})

// How small an object may be to change its storage class: S3's default, which
// clients ask for and look for. There is one class, so it is obeyed.
const (
	transitionHeader  = "x-amz-transition-default-minimum-object-size"
	transitionDefault = "all_storage_classes_128K"
)

func (c *call) getBucketLifecycle() error {
	doc, ok := c.b.Settings[c.op.Sub]
	if !ok {
		return fault.New(fault.Missing, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
	}
	c.set(transitionHeader, transitionDefault)
	c.document(doc)
	return nil
}
