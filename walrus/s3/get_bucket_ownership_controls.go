package s3

import "net/http"

var _ = define(operation{Name: "GetBucketOwnershipControls", Action: "s3:GetBucketOwnershipControls", Method: http.MethodGet, On: onBucket, Sub: "ownershipControls",
	Run: getSetting("OwnershipControlsNotFoundError", "The bucket ownership controls were not found")})
