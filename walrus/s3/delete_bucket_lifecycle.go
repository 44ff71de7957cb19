package s3

import "net/http"

var _ = define(operation{Name: "DeleteBucketLifecycle", Action: "s3:PutLifecycleConfiguration", Method: http.MethodDelete, On: onBucket, Sub: "lifecycle", Run: deleteSetting})
