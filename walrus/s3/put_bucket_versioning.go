package s3

import (
	"net/http"

	"karri/shared/fault"
	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketVersioning", Action: "s3:PutBucketVersioning", Method: http.MethodPut, On: onBucket, Sub: "versioning", Run: (*call).putBucketVersioning})

func (c *call) putBucketVersioning() error {
	v, err := readSetting[setting.Versioning](c)
	if err != nil {
		return err
	}
	return c.changeBucket(http.StatusOK, func(b *index.Bucket) error {
		switch {
		case v.Status == index.Enabled:
		case b.Locked:
			return fault.New(fault.Conflict, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		case b.Settings["replication"] != nil:
			return fault.New(fault.Conflict, "InvalidBucketState", "A replication configuration is present on this bucket, so you cannot change the versioning state. To change the versioning state, first delete the replication configuration.")
		}
		b.Versioning = string(v.Status)
		return nil
	})
}
