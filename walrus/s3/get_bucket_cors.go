package s3

import "net/http"

var _ = define(operation{Name: "GetBucketCors", Action: "s3:GetBucketCORS", Method: http.MethodGet, On: onBucket, Sub: "cors",
	Run: getSetting("NoSuchCORSConfiguration", "The CORS configuration does not exist")})
