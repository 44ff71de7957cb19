package s3

import (
	"net/http"

	"karri/shared/fault"
	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutObjectLockConfiguration", Action: "s3:PutBucketObjectLockConfiguration", Method: http.MethodPut, On: onBucket, Sub: "object-lock",
	Run: putSetting(func(_ *call, _ *setting.Lock, b *index.Bucket) error {
		if b.Versioning != index.Enabled {
			return fault.New(fault.Conflict, "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		b.Locked = true
		return nil
	})})
