package s3

import (
	"encoding/xml"
	"net/http"
)

var _ = define(operation{Name: "GetObjectLegalHold", Action: "s3:GetObjectLegalHold", Method: http.MethodGet, On: onObject, Sub: "legal-hold", Run: (*call).getObjectLegalHold})

type legalHoldXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LegalHold"`
	Status  string
}

func (c *call) getObjectLegalHold() error {
	if !c.b.Locked {
		return notLocked
	}
	o, err := c.object()
	if err != nil {
		return err
	}
	c.showVersion(o.Version)
	c.xml(http.StatusOK, legalHoldXML{Status: onOff(o.Hold)})
	return nil
}
