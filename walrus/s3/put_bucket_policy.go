package s3

import (
	"bytes"
	"encoding/json"
	"net/http"

	"karri/walrus/access"
	"karri/walrus/index"
)

var _ = define(operation{Name: "PutBucketPolicy", Action: "s3:PutBucketPolicy", Method: http.MethodPut, On: onBucket, Sub: "policy", Run: (*call).putBucketPolicy})

func (c *call) putBucketPolicy() error {
	doc, err := c.readDocument()
	if err != nil {
		return err
	}
	p, err := access.ParsePolicy(doc, c.bucket)
	if err != nil {
		return err
	}
	var short bytes.Buffer
	if err := json.Compact(&short, doc); err != nil {
		return err
	}
	kept, err := c.policyKept(p.Policy, short.Bytes())
	if err != nil {
		return err
	}
	return c.changeBucket(http.StatusNoContent, func(b *index.Bucket) error {
		now, err := c.cache.Of(b)
		if err != nil {
			return err
		}
		if now.PublicAccess != nil && now.PublicAccess.BlockPublicPolicy && p.Public {
			return access.Blocked
		}
		b.Settings["policy"] = kept
		return nil
	})
}
