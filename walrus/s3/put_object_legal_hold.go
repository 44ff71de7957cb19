package s3

import (
	"net/http"

	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutObjectLegalHold", Action: "s3:PutObjectLegalHold", Method: http.MethodPut, On: onObject, Sub: "legal-hold", Run: (*call).putObjectLegalHold})

func (c *call) putObjectLegalHold() error {
	in, err := lockDocument[setting.LegalHold](c)
	if err != nil {
		return err
	}
	_, err = c.change("", func(o *index.Object) error { o.Hold = in.Status == "ON"; return nil })
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}
