package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "GetBucketNotificationConfiguration", Action: "s3:GetBucketNotification", Method: http.MethodGet, On: onBucket, Sub: "notification", Run: getSettingOr(setting.Notification{})})
