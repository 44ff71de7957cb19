package s3

import "net/http"

var _ = define(operation{Name: "GetPublicAccessBlock", Action: "s3:GetBucketPublicAccessBlock", Method: http.MethodGet, On: onBucket, Sub: "publicAccessBlock",
	Run: getSetting("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")})
