package s3

import (
	"net/http"

	"karri/walrus/access"
	"karri/walrus/index"
)

var _ = define(operation{Name: "PutPublicAccessBlock", Action: "s3:PutBucketPublicAccessBlock", Method: http.MethodPut, On: onBucket, Sub: "publicAccessBlock", Run: (*call).putPublicAccessBlock})

func (c *call) putPublicAccessBlock() error {
	body, err := c.readDocument()
	if err != nil {
		return err
	}
	block, err := access.ParsePublicAccessBlock(body)
	if err != nil {
		return err
	}
	doc, err := block.Render()
	if err != nil {
		return err
	}
	return c.changeBucket(http.StatusOK, func(b *index.Bucket) error {
		b.Settings["publicAccessBlock"] = doc
		return nil
	})
}
