package s3

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"karri/shared/fault"
	"karri/walrus/index"
)

// kept are the headers that are stored with an object and given back with it.
var kept = []string{"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires", redirectHeader}

const (
	defaultType = "binary/octet-stream"
	maxMeta     = 2 << 10
)

// described reads the headers and user metadata that a new object will have.
func described(h http.Header) (headers, meta map[string]string, err error) {
	headers, meta = map[string]string{}, map[string]string{}
	for _, name := range kept {
		v := strings.Join(h.Values(name), ",")
		if name == "Content-Encoding" {
			v = withoutFraming(v)
		}
		if v != "" {
			headers[name] = v
		}
	}
	if err := checkRedirect(headers[redirectHeader]); err != nil {
		return nil, nil, err
	}
	size := 0
	for name, values := range h {
		low := strings.ToLower(name)
		if key, ok := strings.CutPrefix(low, metaPrefix); ok {
			meta[key] = strings.Join(values, ",")
			size += len(key) + len(meta[key])
		}
	}
	if size > maxMeta {
		return nil, nil, fault.New(fault.Invalid, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	return headers, meta, nil
}

// withoutFraming leaves out aws-chunked, which is how the body was sent and
// not what it is.
func withoutFraming(encoding string) string {
	var left []string
	for e := range strings.SplitSeq(encoding, ",") {
		if e = strings.TrimSpace(e); e != "" && !strings.EqualFold(e, "aws-chunked") {
			left = append(left, e)
		}
	}
	return strings.Join(left, ",")
}

// overrides are the query parameters of GET and HEAD that replace headers of
// the answer.
var overrides = map[string]string{
	"response-content-type": "Content-Type", "response-content-language": "Content-Language",
	"response-expires": "Expires", "response-cache-control": "Cache-Control",
	"response-content-disposition": "Content-Disposition", "response-content-encoding": "Content-Encoding",
}

// describe writes the headers of an answer that tell about an object.
func (c *call) describe(o *index.Object) {
	h := c.w.Header()
	h.Set("Content-Type", defaultType)
	for name, v := range o.Headers {
		h.Set(name, v)
	}
	for name, v := range o.Meta {
		c.set(metaPrefix+name, v)
	}
	for param, name := range overrides {
		if c.query.Has(param) {
			h.Set(name, c.query.Get(param))
		}
	}
	if n := len(o.Tags); n > 0 && c.allowed(actionOn("s3:GetObjectTagging", c.version)) {
		c.set("x-amz-tagging-count", strconv.Itoa(n))
	}
	c.showLock(o)
	h.Set("ETag", quote(o.ETag))
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	c.showExpiration(o)
	c.showReplication(o)
}

// echoChecksum writes the headers of a checksum.
func (c *call) echoChecksum(s index.Checksum) {
	if s.Value == "" {
		return
	}
	c.set(s.Algorithm.Header(), s.Value)
	c.set("x-amz-checksum-type", checksumType(s.Composite))
}

func checksumType(composite bool) string {
	if composite {
		return "COMPOSITE"
	}
	return "FULL_OBJECT"
}

func quote(etag string) string { return `"` + etag + `"` }

func unquote(etag string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(etag), `"`), `"`)
}

// etags reads a header that lists entity tags.
func etags(value string) []string {
	var list []string
	for e := range strings.SplitSeq(value, ",") {
		list = append(list, unquote(strings.TrimPrefix(strings.TrimSpace(e), "W/")))
	}
	return list
}

func matches(list, etag string) bool {
	tags := etags(list)
	return slices.Contains(tags, "*") || slices.Contains(tags, etag)
}
