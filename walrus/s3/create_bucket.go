package s3

import (
	"encoding/xml"
	"net/http"
	"strings"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/walrus/index"
)

var _ = define(operation{Name: "CreateBucket", Action: "s3:CreateBucket", Method: http.MethodPut, On: onBucket, Run: (*call).createBucket})

type createBucketXML struct {
	XMLName            xml.Name  `xml:"CreateBucketConfiguration"`
	LocationConstraint string    `xml:"LocationConstraint"`
	Location           *struct{} `xml:"Location"`
	Bucket             *struct{} `xml:"Bucket"`
	Tags               []struct {
		Key string
	} `xml:"Tags>Tag"`
}

func (c *call) createBucket() error {
	if strings.HasPrefix(c.bucket, bucket.SystemPrefix) != c.who.System || c.who.For != "" || c.who.May != nil && !c.who.May(c.bucket, true) {
		if c.who.System {
			return accessDenied
		}
		return fault.New(fault.Invalid, "InvalidBucketName", "The specified bucket is not valid: names that begin with %s are the cloud's own.", bucket.SystemPrefix)
	}
	var in createBucketXML
	if err := c.readXML(&in, true); err != nil {
		return err
	}
	switch {
	case in.Location != nil || in.Bucket != nil:
		return notImplemented("Directory buckets are not implemented.")
	case len(in.Tags) > 0:
		return notImplemented("Bucket tags are not implemented.")
	case in.LocationConstraint != "" && in.LocationConstraint != c.Region:
		return fault.New(fault.Invalid, "InvalidLocationConstraint", "The specified location-constraint is not valid: this is %s.", c.Region)
	}
	if err := c.Content.Room(); err != nil {
		return err
	}
	b := &index.Bucket{Name: c.bucket, Owner: c.who.Account, Region: c.Region, Created: c.now()}
	if err := c.Buckets.CreateBucket(c.ctx, b); err != nil {
		return err
	}
	c.set("Location", "/"+c.bucket)
	c.w.WriteHeader(http.StatusOK)
	return nil
}
