package s3

import "net/http"

var _ = define(operation{Name: "DeleteBucketWebsite", Action: "s3:DeleteBucketWebsite", Method: http.MethodDelete, On: onBucket, Sub: "website", Run: deleteSetting})
