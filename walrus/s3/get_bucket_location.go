package s3

import (
	"encoding/xml"
	"net/http"
)

var _ = define(operation{Name: "GetBucketLocation", Action: "s3:GetBucketLocation", Method: http.MethodGet, On: onBucket, Sub: "location", Run: (*call).getBucketLocation})

type locationXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	Region  string   `xml:",chardata"`
}

func (c *call) getBucketLocation() error {
	region := c.b.Region
	if region == "us-east-1" { // which S3 writes as nothing
		region = ""
	}
	c.xml(http.StatusOK, locationXML{Region: region})
	return nil
}
