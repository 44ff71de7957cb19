package s3

import (
	"net/http"

	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutObjectRetention", Action: "s3:PutObjectRetention", Method: http.MethodPut, On: onObject, Sub: "retention", Run: (*call).putObjectRetention})

func (c *call) putObjectRetention() error {
	in, err := lockDocument[setting.Retention](c)
	if err != nil {
		return err
	}
	var fresh *index.Retention
	if in.Until != nil {
		if fresh = (&index.Retention{Mode: string(in.Mode), Until: in.Until.UTC()}); !fresh.Until.After(c.now()) {
			return pastDate
		}
	}
	bypass := c.bypass(c.target)
	_, err = c.change("", func(o *index.Object) error {
		if err := relock(o.Retention, fresh, c.now(), bypass); err != nil {
			return err
		}
		o.Retention = fresh
		return nil
	})
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}
