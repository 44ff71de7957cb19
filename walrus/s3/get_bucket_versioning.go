package s3

import (
	"encoding/xml"
	"net/http"
)

var _ = define(operation{Name: "GetBucketVersioning", Method: http.MethodGet, On: onBucket, Sub: "versioning", Run: (*call).getBucketVersioning})

// versioningXML has no status: a bucket that never had versions says nothing.
type versioningXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
}

func (c *call) getBucketVersioning() error {
	if _, err := c.readable(c.bucket); err != nil {
		return err
	}
	c.xml(http.StatusOK, versioningXML{})
	return nil
}
