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
	when.Bypass = c.bypass(c.target)
	done, err := c.remove(c.key, c.version, when)
	if err != nil {
		return err
	}
	if done.Marker {
		c.set("x-amz-delete-marker", "true")
	}
	c.showVersion(done.Version)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// remove ends a version, or for version "" the object.
func (c *call) remove(key, version string, when index.Condition) (index.Deleted, error) {
	event := "s3:ObjectRemoved:Delete"
	if version == "" && c.b.Versioning != "" {
		event = "s3:ObjectRemoved:DeleteMarkerCreated"
	}
	when.Now, when.Owner, when.Event = c.now(), c.who.Account, c.event(event)
	done, err := c.Objects.Delete(c.ctx, c.bucket, key, version, when)
	if err != nil {
		return done, err
	}
	crash.Here("walrus.s3.delete")
	c.Changed()
	return done, nil
}
