package s3

import "net/http"

var _ = define(operation{Name: "GetBucketTagging", Action: "s3:GetBucketTagging", Method: http.MethodGet, On: onBucket, Sub: "tagging",
	Run: getSetting("NoSuchTagSet", "The TagSet does not exist")})
