package s3

import (
	"net/http"

	"karri/shared/fault"
	"karri/walrus/access"
	"karri/walrus/index"
)

var _ = define(operation{Name: "PutBucketOwnershipControls", Action: "s3:PutBucketOwnershipControls", Method: http.MethodPut, On: onBucket, Sub: "ownershipControls", Run: (*call).putBucketOwnershipControls})

var aclBesideOwnership = fault.New(fault.Invalid, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")

func (c *call) putBucketOwnershipControls() error {
	body, err := c.readDocument()
	if err != nil {
		return err
	}
	o, err := access.ParseOwnershipControls(body)
	if err != nil {
		return err
	}
	doc, err := o.Render()
	if err != nil {
		return err
	}
	return c.changeBucket(http.StatusOK, func(b *index.Bucket) error {
		now, err := c.cache.Of(b)
		if err != nil {
			return err
		}
		if *o == access.OwnerEnforced && now.ACL != nil && !now.ACL.OwnerHasAll(b.Owner) {
			return aclBesideOwnership
		}
		b.Settings["ownershipControls"] = doc
		return nil
	})
}
