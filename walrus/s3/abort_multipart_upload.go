package s3

import (
	"net/http"

	"karri/shared/crash"
)

var _ = define(operation{Name: "AbortMultipartUpload", Action: "s3:AbortMultipartUpload", Method: http.MethodDelete, On: onObject, Sub: "uploadId", Run: (*call).abortMultipartUpload})

func (c *call) abortMultipartUpload() error {
	if err := c.Uploads.Abort(c.ctx, c.bucket, c.key, c.query.Get("uploadId")); err != nil {
		return err
	}
	crash.Here("walrus.s3.abort")
	c.Changed()
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
