package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketCors", Action: "s3:PutBucketCORS", Method: http.MethodPut, On: onBucket, Sub: "cors", Run: putSetting[setting.CORS](nil)})
