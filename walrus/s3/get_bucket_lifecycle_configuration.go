package s3

import "net/http"

var _ = define(operation{Name: "GetBucketLifecycleConfiguration", Action: "s3:GetLifecycleConfiguration", Method: http.MethodGet, On: onBucket, Sub: "lifecycle",
	Run: getSetting("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")})
