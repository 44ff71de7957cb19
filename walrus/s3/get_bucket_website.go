package s3

import "net/http"

var _ = define(operation{Name: "GetBucketWebsite", Action: "s3:GetBucketWebsite", Method: http.MethodGet, On: onBucket, Sub: "website",
	Run: getSetting("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")})
