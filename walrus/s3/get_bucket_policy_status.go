package s3

import (
	"encoding/xml"
	"net/http"
)

var _ = define(operation{Name: "GetBucketPolicyStatus", Action: "s3:GetBucketPolicyStatus", Method: http.MethodGet, On: onBucket, Sub: "policyStatus", Run: (*call).getBucketPolicyStatus})

type policyStatusXML struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PolicyStatus"`
	IsPublic bool
}

func (c *call) getBucketPolicyStatus() error {
	if c.settings.Policy == nil {
		return noSuchBucketPolicy
	}
	c.xml(http.StatusOK, policyStatusXML{IsPublic: c.settings.Policy.Public})
	return nil
}
