package s3

import "net/http"

var _ = define(operation{Name: "GetBucketEncryption", Action: "s3:GetEncryptionConfiguration", Method: http.MethodGet, On: onBucket, Sub: "encryption",
	Run: getSetting("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found")})
