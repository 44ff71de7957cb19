package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketLifecycleConfiguration", Action: "s3:PutLifecycleConfiguration", Method: http.MethodPut, On: onBucket, Sub: "lifecycle", Run: putSetting[setting.Lifecycle](nil)})
