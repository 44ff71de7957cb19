package s3

import (
	"encoding/xml"
	"net/http"

	"karri/shared/fault"
)

// What a bucket or an object can be asked for and never has: these read as S3
// answers where nothing is configured. Setting them is NotImplemented; taking
// them away succeeds, since afterwards they are not there.
var unset = []struct {
	name   string
	action string
	on     scope
	sub    string
	code   string // of the error
	text   string
	xml    string // else the element of the empty answer
}{
	{"GetObjectRetention", "GetObjectRetention", onObject, "retention", "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", ""},
	{"GetObjectLegalHold", "GetObjectLegalHold", onObject, "legal-hold", "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", ""},
	{"GetObjectTagging", "GetObjectTagging", onObject, "tagging", "", "", "Tagging"},
}

// removable are the sub-resources that S3 can take away.
var removable = map[selector]struct{ name, action string }{
	{on: onObject, sub: "tagging"}: {"DeleteObjectTagging", "DeleteObjectTagging"},
}

type emptyXML struct {
	XMLName xml.Name
	TagSet  *struct{} `xml:"TagSet"`
}

var _ = func() bool {
	for _, u := range unset {
		define(operation{Name: u.name, Action: "s3:" + u.action, Method: http.MethodGet, On: u.on, Sub: u.sub, Run: func(c *call) error {
			if err := c.there(); err != nil {
				return err
			}
			if u.code != "" {
				return fault.New(fault.Missing, u.code, "%s", u.text)
			}
			out := emptyXML{XMLName: xml.Name{Space: xmlns, Local: u.xml}}
			if u.sub == "tagging" {
				out.TagSet = &struct{}{}
			}
			c.xml(http.StatusOK, out)
			return nil
		}})
	}
	for s, d := range removable {
		define(operation{Name: d.name, Action: "s3:" + d.action, Method: http.MethodDelete, On: s.on, Sub: s.sub, Run: func(c *call) error {
			if err := c.there(); err != nil {
				return err
			}
			c.w.WriteHeader(http.StatusNoContent)
			return nil
		}})
	}
	return true
}()

// there makes sure that what is asked about exists.
func (c *call) there() error {
	if c.key == "" {
		return nil
	}
	_, err := c.Objects.Object(c.ctx, c.bucket, c.key, "")
	return err
}
