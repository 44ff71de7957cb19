package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "GetObjectTagging", Action: "s3:GetObjectTagging", Method: http.MethodGet, On: onObject, Sub: "tagging", Run: (*call).getObjectTagging})

func (c *call) getObjectTagging() error {
	o, err := c.object()
	if err != nil {
		return err
	}
	var out setting.ObjectTagging
	for _, t := range o.Tags {
		out.TagSet.Tags = append(out.TagSet.Tags, setting.Tag{Key: t.Key, Value: t.Value})
	}
	c.showVersion(o.Version)
	c.xml(http.StatusOK, out)
	return nil
}
