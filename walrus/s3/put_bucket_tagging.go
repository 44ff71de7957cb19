package s3

import (
	"net/http"

	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketTagging", Action: "s3:PutBucketTagging", Method: http.MethodPut, On: onBucket, Sub: "tagging", Run: (*call).putBucketTagging})

// putBucketTagging answers 204, and an empty set is none.
func (c *call) putBucketTagging() error {
	v, err := readSetting[setting.BucketTagging](c)
	if err != nil {
		return err
	}
	doc, err := setting.Render(v)
	if err != nil {
		return err
	}
	if len(v.TagSet.Tags) == 0 {
		doc = nil
	}
	return c.changeBucket(http.StatusNoContent, func(b *index.Bucket) error {
		b.Settings[c.op.Sub] = doc
		return nil
	})
}
