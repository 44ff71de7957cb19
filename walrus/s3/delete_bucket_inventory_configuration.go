package s3

import (
	"net/http"

	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "DeleteBucketInventoryConfiguration", Action: "s3:PutInventoryConfiguration", Method: http.MethodDelete, On: onBucket, Sub: "inventory", Run: (*call).deleteBucketInventoryConfiguration})

func (c *call) deleteBucketInventoryConfiguration() error {
	return c.changeBucket(http.StatusNoContent, func(b *index.Bucket) error {
		name := setting.InventoryName(c.query.Get("id"))
		if b.Settings[name] == nil {
			return noSuchConfiguration
		}
		b.Settings[name] = nil
		return nil
	})
}
