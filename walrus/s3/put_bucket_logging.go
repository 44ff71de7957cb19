package s3

import (
	"net/http"

	"karri/shared/fault"
	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketLogging", Action: "s3:PutBucketLogging", Method: http.MethodPut, On: onBucket, Sub: "logging", Run: (*call).putBucketLogging})

// putBucketLogging wants a target of the same owner's. That nothing is enabled
// ends logging.
func (c *call) putBucketLogging() error {
	v, err := readSetting[setting.Logging](c)
	if err != nil {
		return err
	}
	if v.Enabled == nil {
		return c.changeBucket(http.StatusOK, func(b *index.Bucket) error {
			b.Settings[c.op.Sub] = nil
			return nil
		})
	}
	if !c.sameOwner(v.Enabled.Bucket) {
		return fault.New(fault.Invalid, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist, is not owned by you, or does not have the appropriate grants for the log-delivery group.")
	}
	doc, err := setting.Render(v)
	if err != nil {
		return err
	}
	return c.changeBucket(http.StatusOK, func(b *index.Bucket) error {
		b.Settings[c.op.Sub] = doc
		return nil
	})
}

// sameOwner reports whether a bucket is there and belongs to the owner of the
// one that the request is about.
func (c *call) sameOwner(name string) bool {
	b, err := c.Buckets.Bucket(c.ctx, name)
	return err == nil && b.Owner == c.b.Owner
}
