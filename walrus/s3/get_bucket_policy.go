package s3

import (
	"net/http"
	"strconv"

	"karri/shared/fault"
)

var _ = define(operation{Name: "GetBucketPolicy", Action: "s3:GetBucketPolicy", Method: http.MethodGet, On: onBucket, Sub: "policy", Run: (*call).getBucketPolicy})

var noSuchBucketPolicy = fault.New(fault.Missing, "NoSuchBucketPolicy", "The bucket policy does not exist")

func (c *call) getBucketPolicy() error {
	doc, ok := c.b.Settings["policy"]
	if !ok {
		return noSuchBucketPolicy
	}
	doc, err := c.policyShown(doc)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(doc)))
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(doc) // a client that went away needs no answer
	return nil
}
