package s3

import (
	"net/http"

	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketNotificationConfiguration", Action: "s3:PutBucketNotification", Method: http.MethodPut, On: onBucket, Sub: "notification",
	Run: putSetting(func(c *call, v *setting.Notification, b *index.Bucket) error { return v.Check(c.EventTargets, b.Owner) })})
