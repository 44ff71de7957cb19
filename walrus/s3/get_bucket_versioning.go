package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "GetBucketVersioning", Action: "s3:GetBucketVersioning", Method: http.MethodGet, On: onBucket, Sub: "versioning", Run: (*call).getBucketVersioning})

func (c *call) getBucketVersioning() error {
	c.xml(http.StatusOK, setting.Versioning{Status: setting.VersioningStatus(c.b.Versioning)})
	return nil
}
