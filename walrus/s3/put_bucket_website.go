package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketWebsite", Action: "s3:PutBucketWebsite", Method: http.MethodPut, On: onBucket, Sub: "website", Run: putSetting[setting.Website](nil)})
