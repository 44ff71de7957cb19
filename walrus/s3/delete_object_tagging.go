package s3

import (
	"net/http"

	"karri/walrus/index"
)

var _ = define(operation{Name: "DeleteObjectTagging", Action: "s3:DeleteObjectTagging", Method: http.MethodDelete, On: onObject, Sub: "tagging", Run: (*call).deleteObjectTagging})

func (c *call) deleteObjectTagging() error {
	_, err := c.change("s3:ObjectTagging:Delete", func(o *index.Object) error { o.Tags = nil; return nil })
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
