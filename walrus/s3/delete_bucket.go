package s3

import "net/http"

var _ = define(operation{Name: "DeleteBucket", Action: "s3:DeleteBucket", Method: http.MethodDelete, On: onBucket, Run: (*call).deleteBucket})

func (c *call) deleteBucket() error {
	if err := c.Buckets.DeleteBucket(c.ctx, c.bucket); err != nil {
		return err
	}
	c.Changed()
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
