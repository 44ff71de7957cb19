package s3

import (
	"encoding/xml"
	"net/http"
)

var _ = define(operation{Name: "GetBucketVersioning", Action: "s3:GetBucketVersioning", Method: http.MethodGet, On: onBucket, Sub: "versioning", Run: (*call).getBucketVersioning})

// versioningXML has no status: a bucket that never had versions says nothing.
type versioningXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
}

func (c *call) getBucketVersioning() error {
	c.xml(http.StatusOK, versioningXML{})
	return nil
}
