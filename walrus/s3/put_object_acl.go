package s3

import (
	"net/http"

	"karri/walrus/index"
)

var _ = define(operation{Name: "PutObjectAcl", Action: "s3:PutObjectAcl", Method: http.MethodPut, On: onObject, Sub: "acl", Run: (*call).putObjectACL})

func (c *call) putObjectACL() error {
	o, err := c.object()
	if err != nil {
		return err
	}
	account := c.ownerOf(&o.Entry)
	acl, err := c.wantedACL(account, true)
	if err != nil {
		return err
	}
	_, err = c.change("s3:ObjectAcl:Put", func(now *index.Object) error {
		if now.ID != o.ID {
			return index.Moved // what was decided on is no longer there
		}
		if now.ACL = acl; c.enforced() {
			now.ACL = nil
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}
