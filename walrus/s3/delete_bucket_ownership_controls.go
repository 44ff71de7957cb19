package s3

import "net/http"

var _ = define(operation{Name: "DeleteBucketOwnershipControls", Action: "s3:PutBucketOwnershipControls", Method: http.MethodDelete, On: onBucket, Sub: "ownershipControls", Run: deleteSetting})
