package s3

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/sign"
	"karri/walrus/form"
	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PostObject", Action: "s3:PutObject", Method: http.MethodPost, On: onBucket, Late: true, Run: (*call).postObject})

// maxForm is what a form may hold beside its file.
const maxForm = 1 << 20

var tooSmall = fault.New(fault.Invalid, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")

type postXML struct {
	XMLName  xml.Name `xml:"PostResponse"`
	Location string
	Bucket   string
	Key      string
	ETag     string
}

// postObject puts the file of a browser's form. Who asks and what for stands in
// the fields before the file, which is not read until all of it is decided.
func (c *call) postObject() error {
	switch size := c.body.Size(); {
	case size < 0:
		return noLength
	case size > maxPut+maxForm:
		return tooLarge
	}
	f, err := form.Read(c.r.Header.Get("Content-Type"), c.body)
	if err != nil {
		return err
	}
	limits, err := c.openForm(f)
	if err != nil {
		return err
	}
	when, err := c.condition("s3:ObjectCreated:Post")
	if err != nil {
		return err
	}
	o, err := c.newObject()
	if err != nil {
		return err
	}
	if err := c.formTags(o, f.Fields["tagging"]); err != nil {
		return err
	}
	limits.r = f.File
	if err := c.take(o, limits, -1, "", when); err != nil {
		return err
	}
	crash.Here("walrus.s3.post")
	c.Changed()
	c.posted(o, f.Fields)
	return nil
}

// openForm decides on a form from its fields: who sent it, whether its policy
// and then the bucket let it be sent, and how large its file may be. What the
// fields ask for is from then on what the headers ask for.
func (c *call) openForm(f *form.Form) (*limits, error) {
	key := f.Fields["key"]
	switch {
	case key == "":
		return nil, invalidArgument("Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.")
	case len(key) > maxKey || !utf8.ValidString(key):
		return nil, fault.New(fault.Invalid, "KeyTooLongError", "Your key is too long")
	}
	size := &limits{most: maxPut}
	if f.Fields["policy"] != "" {
		if err := c.underPolicy(f, size); err != nil {
			return nil, err
		}
	} else if slices.ContainsFunc(formSecrets, func(name string) bool { return f.Fields[name] != "" }) {
		return nil, invalidArgument("Bucket POST must contain a field named 'policy'.  If it is specified, please check the order of the fields.")
	}
	c.key = key
	if err := c.takeFields(f.Fields); err != nil {
		return nil, err
	}
	if err := c.checkHeaders(); err != nil {
		return nil, err
	}
	t, err := c.aim(c.bucket, key, "", true, c.r.Header.Get("x-amz-expected-bucket-owner"))
	if err != nil {
		return nil, err
	}
	c.target = t
	return size, c.permit(t, c.op.Action)
}

// formSecrets are the fields that sign a form.
var formSecrets = []string{"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token", "awsaccesskeyid", "signature"}

// underPolicy finds out who signed the form's policy, and obeys it.
func (c *call) underPolicy(f *form.Form, size *limits) error {
	forms, ok := c.Auth.(FormAuthenticator)
	switch {
	case !ok:
		return accessDenied
	case !c.who.Anonymous:
		return invalidArgument("Only one authentication mechanism is allowed: that of the request or that of the form.")
	}
	who, err := forms.AuthenticateForm(c.r, f.Fields)
	if err != nil {
		c.line.Claimed = sign.Claimed("", url.Values{"x-amz-credential": {f.Fields["x-amz-credential"]}}, url.Values{"awsaccesskeyid": {f.Fields["awsaccesskeyid"]}})
		return err
	}
	p, err := form.ParsePolicy(f.Fields["policy"])
	if err != nil {
		return err
	}
	f.Fields["bucket"] = c.bucket
	if err := p.Check(c.now(), f.Fields); err != nil {
		return err
	}
	if least, most, ok := p.Sizes(); ok {
		size.least, size.most = least, min(most, maxPut)
	}
	c.who = who
	c.bind()
	return nil
}

// takeFields puts the fields that stand for headers in the place of those that
// the request came with.
func (c *call) takeFields(fields map[string]string) error {
	h := http.Header{}
	for name, v := range fields {
		switch {
		case name == "acl":
			name = "x-amz-acl"
		case slices.Contains(kept, http.CanonicalHeaderKey(name)), name == "content-md5":
		case !strings.HasPrefix(name, "x-amz-") || slices.Contains(formSecrets, name):
			continue
		}
		if strings.ContainsFunc(name+v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return invalidArgument("The field '%s' cannot be a header.", name)
		}
		h.Set(name, v)
	}
	for _, name := range []string{"User-Agent", "Referer", "Origin"} { // of which policies speak
		h[name] = c.r.Header.Values(name)
	}
	r := *c.r
	r.Header = h
	c.r = &r
	return nil
}

// formTags gives the object the tags of the field "tagging".
func (c *call) formTags(o *index.Object, doc string) error {
	if doc == "" {
		return nil
	}
	in, err := setting.Parse[setting.ObjectTagging]([]byte(doc))
	if err != nil {
		return err
	}
	if o.Tags = tags(in.TagSet.Tags); len(o.Tags) == 0 {
		return nil
	}
	return c.demand("s3:PutObjectTagging")
}

// posted answers as the form asks: with a status, or by sending the browser on.
func (c *call) posted(o *index.Object, fields map[string]string) {
	location := c.scheme() + "://" + c.r.Host + strings.TrimRight(c.r.URL.EscapedPath(), "/") + "/" + encodeKey(o.Key)
	c.set("ETag", quote(o.ETag))
	c.showVersion(o.Version)
	c.showExpiration(o)
	c.echoChecksum(o.Checksum)
	to := fields["success_action_redirect"]
	if to == "" {
		to = fields["redirect"]
	}
	if u, err := url.Parse(to); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		more := fmt.Sprintf("bucket=%s&key=%s&etag=%s", url.QueryEscape(c.bucket), url.QueryEscape(o.Key), url.QueryEscape(quote(o.ETag)))
		if u.RawQuery != "" {
			more = u.RawQuery + "&" + more
		}
		u.RawQuery = more
		c.w.Header().Set("Location", u.String())
		c.w.WriteHeader(http.StatusSeeOther)
		return
	}
	c.w.Header().Set("Location", location)
	switch fields["success_action_status"] {
	case "200":
		c.w.WriteHeader(http.StatusOK)
	case "201":
		c.xml(http.StatusCreated, postXML{Location: location, Bucket: c.bucket, Key: o.Key, ETag: quote(o.ETag)})
	default:
		c.w.WriteHeader(http.StatusNoContent)
	}
}

// limits reads a file that may not be larger, or smaller, than it should be.
type limits struct {
	r           io.Reader
	least, most int64
	n           int64
}

func (l *limits) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.n += int64(n)
	switch {
	case l.n > l.most:
		return 0, tooLarge
	case err == io.EOF && l.n < l.least:
		return 0, tooSmall
	}
	return n, err
}
