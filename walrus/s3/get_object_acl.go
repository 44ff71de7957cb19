package s3

import (
	"net/http"

	"karri/walrus/access"
)

var _ = define(operation{Name: "GetObjectAcl", Action: "s3:GetObjectAcl", Method: http.MethodGet, On: onObject, Sub: "acl", Run: (*call).getObjectACL})

func (c *call) getObjectACL() error {
	o, err := c.object()
	if err != nil {
		return err
	}
	account := c.ownerOf(&o.Entry)
	acl := o.ACL
	if acl == nil || c.enforced() {
		acl = access.Private(account)
	}
	c.showVersion(o.Version)
	c.xml(http.StatusOK, acl.XML(names(account, c.b.Owner, c.who.Account)))
	return nil
}
