package s3

import (
	"maps"
	"strings"

	"karri/walrus/index"
)

// copyOf returns what becomes of an object that is copied as the headers say.
// Its class, where it redirects to, its locks and its list are never copied.
// resealed says that its bytes are to be stored in another way.
func (c *call) copyOf(from *index.Object, resealed bool) (*index.Object, error) {
	o, err := c.newObject()
	if err != nil {
		return nil, err
	}
	c.retain(o)
	o.Size, o.ETag, o.Checksum, o.Pieces = from.Size, from.ETag, from.Checksum, from.Pieces
	changed := resealed || o.Headers[redirectHeader] != from.Headers[redirectHeader] || o.Reduced != from.Reduced
	replace, err := directive(c.r.Header.Get("X-Amz-Metadata-Directive"), "metadata")
	if err != nil {
		return nil, err
	}
	if !replace {
		if from.Bucket == c.bucket && from.Key == c.key && from.Latest && !changed {
			return nil, invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
		}
		fresh := o.Headers
		o.Headers, o.Meta = map[string]string{}, from.Meta
		maps.Copy(o.Headers, from.Headers)
		for _, name := range []string{redirectHeader, classHeader} {
			delete(o.Headers, name)
			if v, ok := fresh[name]; ok {
				o.Headers[name] = v
			}
		}
	}
	if replace, err = directive(c.r.Header.Get("X-Amz-Tagging-Directive"), "tagging"); err != nil || replace {
		return o, err
	}
	if o.Tags = from.Tags; len(o.Tags) > 0 {
		err = c.permit(c.from, actionOn("s3:GetObjectTagging", c.from.version))
		if err == nil {
			err = c.demand("s3:PutObjectTagging")
		}
	}
	return o, err
}

// directive reads whether a copy takes something anew, or from its source.
func directive(v, of string) (replace bool, err error) {
	switch {
	case strings.EqualFold(v, "REPLACE"):
		return true, nil
	case v == "", strings.EqualFold(v, "COPY"):
		return false, nil
	}
	return false, invalidArgument("Unknown %s directive.", of)
}
