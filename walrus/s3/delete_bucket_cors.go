package s3

import "net/http"

var _ = define(operation{Name: "DeleteBucketCors", Action: "s3:PutBucketCORS", Method: http.MethodDelete, On: onBucket, Sub: "cors", Run: deleteSetting})
