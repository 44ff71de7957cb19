package s3

import (
	"encoding/xml"
	"net/http"
)

var _ = define(operation{Name: "GetBucketAccelerateConfiguration", Action: "s3:GetAccelerateConfiguration", Method: http.MethodGet, On: onBucket, Sub: "accelerate", Run: (*call).getBucketAccelerateConfiguration})

// accelerateXML has no status: it was never set.
type accelerateXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccelerateConfiguration"`
}

func (c *call) getBucketAccelerateConfiguration() error {
	c.xml(http.StatusOK, accelerateXML{})
	return nil
}
