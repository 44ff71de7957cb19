package s3

import "net/http"

var _ = define(operation{Name: "DeletePublicAccessBlock", Action: "s3:PutBucketPublicAccessBlock", Method: http.MethodDelete, On: onBucket, Sub: "publicAccessBlock", Run: deleteSetting})
