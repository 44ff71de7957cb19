package s3

import (
	"net/http"

	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketLifecycleConfiguration", Action: "s3:PutLifecycleConfiguration", Method: http.MethodPut, On: onBucket, Sub: "lifecycle",
	Run: putSetting(func(c *call, _ *setting.Lifecycle, _ *index.Bucket) error {
		c.set(transitionHeader, transitionDefault)
		return nil
	})})
