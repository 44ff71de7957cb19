package s3

import (
	"net/http"

	"karri/walrus/index"
)

var _ = define(operation{Name: "PutBucketAcl", Action: "s3:PutBucketAcl", Method: http.MethodPut, On: onBucket, Sub: "acl", Run: (*call).putBucketACL})

func (c *call) putBucketACL() error {
	acl, err := c.wantedACL(c.b.Owner, false)
	if err != nil {
		return err
	}
	doc, err := acl.Render()
	if err != nil {
		return err
	}
	return c.changeBucket(http.StatusOK, func(b *index.Bucket) error {
		now, err := c.cache.Of(b)
		if err == nil {
			err = c.admits(acl, now)
		}
		if err != nil {
			return err
		}
		b.Settings["acl"] = doc
		return nil
	})
}
