package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketRequestPayment", Action: "s3:PutBucketRequestPayment", Method: http.MethodPut, On: onBucket, Sub: "requestPayment", Run: (*call).putBucketRequestPayment})

// putBucketRequestPayment keeps nothing: only what is so anyway is accepted.
func (c *call) putBucketRequestPayment() error {
	if _, err := readSetting[setting.Payment](c); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}
