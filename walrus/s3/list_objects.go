package s3

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"karri/walrus/index"
)

var _ = define(operation{Name: "ListObjects", Action: "s3:ListBucket", Method: http.MethodGet, On: onBucket, Run: (*call).listObjects})

type prefixXML struct {
	Prefix string
}

const maxKeys = 1000

// listObjects answers both versions of the operation, told apart by list-type.
func (c *call) listObjects() error {
	switch c.query.Get("list-type") {
	case "2":
		return c.listObjectsV2()
	case "", "1":
	default:
		return invalidArgument("Invalid List Type specified in Query")
	}
	q, show, err := c.listing("max-keys", maxKeys)
	if err != nil {
		return err
	}
	q.After = c.query.Get("marker")
	b, page, err := c.list(q)
	if err != nil {
		return err
	}
	p := newPage("ListBucketResult", show)
	c.about(p, q)
	p.text("Marker", show(q.After))
	if page.More && q.Delimiter != "" {
		p.some("NextMarker", show(page.Last))
	}
	c.shown(p, page, b.Owner)
	return nil
}

// about writes what both versions of the listing repeat of the request.
func (c *call) about(p *page, q index.Query) {
	p.text("Name", c.bucket)
	p.text("Prefix", p.show(q.Prefix))
	p.number("MaxKeys", int64(q.Max))
	p.some("Delimiter", p.show(q.Delimiter))
	p.some("EncodingType", c.query.Get("encoding-type"))
}

// shown writes what was found, with owners unless bucketOwner is empty, and answers.
func (c *call) shown(p *page, found index.Listing[index.Entry], bucketOwner string) {
	p.flag("IsTruncated", found.More)
	c.disown(found.Items)
	for i := range found.Items {
		p.entry(&found.Items[i], bucketOwner)
	}
	p.prefixes(found.Prefixes)
	p.answer(c, "ListBucketResult")
}

// listing reads what the listing operations have in common. show writes a key
// in the encoding that was asked for.
func (c *call) listing(count string, most int) (q index.Query, show func(string) string, err error) {
	q = index.Query{Prefix: c.query.Get("prefix"), Delimiter: c.query.Get("delimiter")}
	if q.Max, err = c.number(count, most); err != nil {
		return q, nil, err
	}
	switch c.query.Get("encoding-type") {
	case "":
		return q, func(s string) string { return s }, nil
	case "url":
		return q, encodeKey, nil
	}
	return q, nil, invalidArgument("Invalid Encoding Method specified in Request")
}

// encodeKey is S3's form of URL encoding. A space is %20, which every client
// decodes alike.
func encodeKey(s string) string {
	return keyEncoding.Replace(url.QueryEscape(s))
}

var keyEncoding = strings.NewReplacer("+", "%20", "%2F", "/", "%2A", "*")

// list reads a page of objects; one of no entries never goes on.
func (c *call) list(q index.Query) (*index.Bucket, index.Listing[index.Entry], error) {
	if q.Max == 0 {
		return c.b, index.Listing[index.Entry]{}, nil
	}
	page, err := c.Objects.List(c.ctx, c.bucket, q)
	return c.b, page, err
}

func prefixes(list []string, show func(string) string) []prefixXML {
	out := make([]prefixXML, len(list))
	for i, p := range list {
		out[i] = prefixXML{show(p)}
	}
	return out
}

// A continuation token is where the page ended, in a form that clients take
// for what it is to them: opaque.
func sealToken(last string) string { return "1" + base64.RawURLEncoding.EncodeToString([]byte(last)) }

func openToken(token string) (string, error) {
	if token == "" {
		return "", nil
	}
	rest, ok := strings.CutPrefix(token, "1")
	b, err := base64.RawURLEncoding.DecodeString(rest)
	if !ok || err != nil || len(b) == 0 {
		return "", invalidArgument("The continuation token provided is incorrect")
	}
	return string(b), nil
}
