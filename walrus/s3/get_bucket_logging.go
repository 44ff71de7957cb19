package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "GetBucketLogging", Action: "s3:GetBucketLogging", Method: http.MethodGet, On: onBucket, Sub: "logging", Run: getSettingOr(setting.Logging{})})
