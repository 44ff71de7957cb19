package s3

import "net/http"

var _ = define(operation{Name: "DeleteBucketPolicy", Action: "s3:DeleteBucketPolicy", Method: http.MethodDelete, On: onBucket, Sub: "policy", Run: deleteSetting})
