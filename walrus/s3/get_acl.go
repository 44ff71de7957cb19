package s3

import (
	"encoding/xml"
	"net/http"

	"karri/walrus/access"
)

var (
	_ = define(operation{Name: "GetBucketAcl", Action: "s3:GetBucketAcl", Method: http.MethodGet, On: onBucket, Sub: "acl", Run: (*call).getACL})
	_ = define(operation{Name: "GetObjectAcl", Action: "s3:GetObjectAcl", Method: http.MethodGet, On: onObject, Sub: "acl", Run: (*call).getACL})
)

type granteeXML struct {
	XSI  string `xml:"xmlns:xsi,attr"`
	Type string `xml:"xsi:type,attr"`
	ownerXML
}

type grantXML struct {
	Grantee    granteeXML
	Permission string
}

type aclXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy"`
	Owner   ownerXML
	Grants  []grantXML `xml:"AccessControlList>Grant"`
}

// getACL says what is true of every bucket and object: its owner may do all.
func (c *call) getACL() error {
	if err := c.there(); err != nil {
		return err
	}
	o := owner(c.b.Owner)
	c.xml(http.StatusOK, aclXML{Owner: o, Grants: []grantXML{{
		Grantee:    granteeXML{XSI: "http://www.w3.org/2001/XMLSchema-instance", Type: "CanonicalUser", ownerXML: o},
		Permission: "FULL_CONTROL",
	}}})
	return nil
}

// owner gives an account in the form that S3 names users by: 64 digits that
// are always the same for the account.
func owner(account string) ownerXML {
	return ownerXML{ID: access.Canonical(account), DisplayName: account}
}
