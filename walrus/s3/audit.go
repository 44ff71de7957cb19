package s3

import (
	"encoding/json"
	"net/http"
	"time"

	"karri/shared/audit"
	"karri/shared/fault"
	"karri/shared/rest"
	"karri/walrus/access"
)

// refused keeps why a request is refused, for explanations.
func (c *call) refused(action string, d access.Decision) {
	rest.Note(c.ctx, "refused", action+": "+d.String())
	c.line.Decision, _ = json.Marshal(map[string]string{"action": action, "decision": d.String()}) // cannot fail
}

// audit writes the request into the audit log. What is done with objects, and
// listing them, is no management.
func (c *call) audit(err error, began time.Time) {
	if c.Audit == nil {
		return
	}
	l := &c.line
	l.Time, l.Service, l.Action, l.RequestID, l.Agent, l.Source = began, "s3", c.r.Method, c.id, c.r.UserAgent(), c.address()
	l.Account, l.ARN, l.AccessKey, l.For = c.who.Account, c.who.ARN, c.who.AccessKey, c.who.For
	l.Read = c.r.Method == http.MethodGet || c.r.Method == http.MethodHead || c.r.Method == http.MethodOptions
	l.Data = c.key != ""
	if c.op != nil {
		l.Action = c.op.Name
		l.Data = c.op.On == onObject || aboutContent[c.op.Name]
	}
	l.Auth, l.Kind = "signature", "root"
	switch {
	case c.who.Anonymous || l.ARN == "":
		l.Auth, l.Kind = "", "anonymous"
	case c.who.Presigned:
		l.Auth = "presigned"
	}
	if c.who.Rights != nil {
		l.Know(c.who.Rights.Identity)
	}
	if c.bucket != "" {
		arn := "arn:aws:s3:::" + c.bucket
		if c.key != "" {
			arn += "/" + c.key
		}
		l.On = []string{arn}
	}
	if !l.Read && !l.Data && c.op != nil {
		l.Params = c.params()
	}
	if err != nil {
		f := fault.Of(err)
		l.Code, l.Text = f.Code, f.Text
	}
	c.Audit(l)
}

// aboutContent are the operations on buckets that are about what is in them.
var aboutContent = map[string]bool{
	"ListObjects": true, "ListObjectsV2": true, "ListObjectVersions": true, "ListMultipartUploads": true, "DeleteObjects": true, "HeadBucket": true, "PostObject": true,
}

// toldHeaders are the headers of changes of buckets that say what is asked for.
var toldHeaders = []string{"x-amz-acl", "x-amz-grant-read", "x-amz-grant-write", "x-amz-grant-read-acp", "x-amz-grant-write-acp", "x-amz-grant-full-control",
	"x-amz-object-ownership", "x-amz-bucket-object-lock-enabled", "x-amz-bypass-governance-retention", "x-amz-expected-bucket-owner"}

// params is what a change of a bucket asks for. Its documents hold no secrets.
func (c *call) params() json.RawMessage {
	p := struct {
		BucketName string
		Setting    string
		Id         string
		Headers    map[string]string
		Document   string
	}{c.bucket, c.op.Sub, c.query.Get("id"), map[string]string{}, string(c.sheet)}
	for _, name := range toldHeaders {
		if v := c.r.Header.Get(name); v != "" {
			p.Headers[name] = v
		}
	}
	return audit.Params(p)
}
