package s3

import "net/http"

var _ = define(operation{Name: "DeleteBucketTagging", Action: "s3:PutBucketTagging", Method: http.MethodDelete, On: onBucket, Sub: "tagging", Run: deleteSetting})
