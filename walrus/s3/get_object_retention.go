package s3

import (
	"encoding/xml"
	"net/http"
)

var _ = define(operation{Name: "GetObjectRetention", Action: "s3:GetObjectRetention", Method: http.MethodGet, On: onObject, Sub: "retention", Run: (*call).getObjectRetention})

type retentionXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Retention"`
	Mode    string
	Until   string `xml:"RetainUntilDate"`
}

func (c *call) getObjectRetention() error {
	if !c.b.Locked {
		return notLocked
	}
	o, err := c.object()
	if err != nil {
		return err
	}
	if o.Retention == nil {
		return noLock
	}
	c.showVersion(o.Version)
	c.xml(http.StatusOK, retentionXML{Mode: o.Retention.Mode, Until: stamp(o.Retention.Until)})
	return nil
}
