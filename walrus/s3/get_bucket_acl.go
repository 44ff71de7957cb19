package s3

import (
	"net/http"

	"karri/walrus/access"
)

var _ = define(operation{Name: "GetBucketAcl", Action: "s3:GetBucketAcl", Method: http.MethodGet, On: onBucket, Sub: "acl", Run: (*call).getBucketACL})

func (c *call) getBucketACL() error {
	acl := c.settings.ACL
	if acl == nil || c.enforced() {
		acl = access.Private(c.b.Owner)
	}
	c.xml(http.StatusOK, acl.XML(names(c.b.Owner, c.who.Account)))
	return nil
}
