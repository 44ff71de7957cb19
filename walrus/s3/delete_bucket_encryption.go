package s3

import "net/http"

var _ = define(operation{Name: "DeleteBucketEncryption", Action: "s3:PutEncryptionConfiguration", Method: http.MethodDelete, On: onBucket, Sub: "encryption", Run: deleteSetting})
