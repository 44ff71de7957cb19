package s3

import (
	"net/http"
	"strings"

	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutObjectTagging", Action: "s3:PutObjectTagging", Method: http.MethodPut, On: onObject, Sub: "tagging", Run: (*call).putObjectTagging})

func (c *call) putObjectTagging() error {
	in, err := readSetting[setting.ObjectTagging](c)
	if err != nil {
		return err
	}
	_, err = c.change("s3:ObjectTagging:Put", func(o *index.Object) error { o.Tags = tags(in.TagSet.Tags); return nil })
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func tags(list []setting.Tag) []index.Tag {
	var out []index.Tag
	for _, t := range list {
		out = append(out, index.Tag{Key: t.Key, Value: t.Value})
	}
	return out
}

// tagged reads the tags that headers give to the object that the request makes.
func (c *call) tagged() ([]index.Tag, error) {
	query := strings.Join(c.r.Header.Values("X-Amz-Tagging"), "&")
	if query == "" {
		return nil, nil
	}
	list, err := setting.ParseTagQuery(query)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return tags(list), c.demand("s3:PutObjectTagging")
}
