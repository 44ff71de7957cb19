package s3

import "net/http"

var _ = define(operation{Name: "HeadBucket", Action: "s3:ListBucket", Method: http.MethodHead, On: onBucket, Run: (*call).headBucket})

func (c *call) headBucket() error {
	c.set("x-amz-bucket-region", c.b.Region)
	c.set("x-amz-access-point-alias", "false")
	c.w.WriteHeader(http.StatusOK)
	return nil
}
