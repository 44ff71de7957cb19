package s3

import (
	"net/http"

	"karri/shared/crash"
	"karri/walrus/index"
)

var _ = define(operation{Name: "DeleteObject", Action: "s3:DeleteObject", Method: http.MethodDelete, On: onObject, Run: (*call).deleteObject})

func (c *call) deleteObject() error {
	when, err := writeCondition(c.r.Header)
	if err != nil {
		return err
	}
	if when.IfNoneMatch {
		return notImplemented("A header you provided implies functionality that is not implemented: If-None-Match")
	}
	if err := c.remove(c.key, when); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *call) remove(key string, when index.Condition) error {
	if _, err := c.Objects.Delete(c.ctx, c.bucket, key, "", when); err != nil {
		return err
	}
	crash.Here("walrus.s3.delete")
	c.Changed()
	return nil
}
