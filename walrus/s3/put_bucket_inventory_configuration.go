package s3

import (
	"net/http"

	"karri/shared/fault"
	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketInventoryConfiguration", Action: "s3:PutInventoryConfiguration", Method: http.MethodPut, On: onBucket, Sub: "inventory", Run: (*call).putBucketInventoryConfiguration})

// maxInventories is S3's limit of a bucket.
const maxInventories = 1000

// putBucketInventoryConfiguration wants a destination of the same owner's.
func (c *call) putBucketInventoryConfiguration() error {
	v, err := readSetting[setting.Inventory](c)
	if err != nil {
		return err
	}
	account := v.Destination.Bucket.Account
	switch {
	case v.ID != c.query.Get("id"):
		return fault.New(fault.Invalid, "IdMismatch", "Document ID does not match the specified configuration ID.")
	case !c.sameOwner(v.Target()) || account != nil && *account != c.b.Owner:
		return fault.New(fault.Invalid, "InvalidS3DestinationBucket", "The destination bucket does not exist or is not owned by the owner of the source bucket.")
	}
	doc, err := setting.Render(v)
	if err != nil {
		return err
	}
	return c.changeBucket(http.StatusOK, func(b *index.Bucket) error {
		name := setting.InventoryName(v.ID)
		if b.Settings[name] == nil && len(b.Settings) >= maxInventories {
			return fault.New(fault.Invalid, "TooManyConfigurations", "You are attempting to create a new configuration but have already reached the 1,000-configuration limit.")
		}
		b.Settings[name] = doc
		return nil
	})
}
