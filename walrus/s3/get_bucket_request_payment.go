package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "GetBucketRequestPayment", Action: "s3:GetBucketRequestPayment", Method: http.MethodGet, On: onBucket, Sub: "requestPayment", Run: getSettingOr(setting.Payment{Payer: setting.BucketOwner})})
