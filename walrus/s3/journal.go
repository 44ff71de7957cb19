package s3

import (
	"crypto/tls"
	"net/http"
	"strings"
	"time"

	"karri/shared/fault"
	"karri/shared/rest"
	"karri/walrus/access"
	"karri/walrus/journal"
)

// A counter counts what is answered.
type counter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *counter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *counter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *counter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// logged reports whether requests to the bucket are to be written down.
func (c *call) logged() bool {
	return c.Journal != nil && c.settings != nil && c.settings.Logging != nil && c.settings.Logging.Enabled != nil
}

// note writes the request down. Also one that was refused before its bucket was
// looked at.
func (c *call) note(err error, began time.Time) {
	if c.Journal == nil || c.bucket == "" {
		return
	}
	if c.settings == nil {
		b, e := c.Buckets.Bucket(c.ctx, c.bucket)
		if e != nil {
			return
		}
		if c.settings, e = c.cache.Of(b); e != nil {
			return
		}
		c.b = b
	}
	if !c.logged() {
		return
	}
	e := c.entry(began)
	if err != nil {
		f := fault.Of(err)
		e.Error, e.Status = f.Code, status(f)
	}
	if c.sent != nil {
		e.Sent = c.sent.bytes
		if c.sent.status > 0 {
			e.Status = c.sent.status
		}
	}
	if err := c.Journal.Note(e); err != nil {
		rest.Note(c.ctx, "journal", err.Error())
	}
}

func (c *call) entry(began time.Time) *journal.Entry {
	r := c.r
	e := &journal.Entry{
		Owner: access.Canonical(c.b.Owner), Bucket: c.bucket, Time: c.now(), Remote: c.address(), Requester: c.who.ARN, RequestID: c.id,
		Operation: c.restName(), Key: c.key, URI: r.Method + " " + r.URL.RequestURI() + " " + r.Proto, Status: http.StatusOK, Size: -1,
		Total: time.Since(began), Referer: r.Referer(), UserAgent: r.UserAgent(), Version: c.version, HostID: strings.Join(c.w.Header()["x-amz-id-2"], ""), Host: r.Host,
	}
	switch {
	case c.target != nil && c.target.seen != nil:
		e.Size = c.target.seen.Size
	case c.body != nil && r.Method == http.MethodPut && c.key != "":
		e.Size = c.body.Size()
	}
	switch {
	case c.who.Anonymous || c.who.ARN == "" && c.who.Account == "":
	case c.who.Presigned:
		e.Auth = "QueryString"
	default:
		e.Auth = "AuthHeader"
	}
	if e.Auth != "" {
		if e.Signature = "SigV4"; strings.HasPrefix(r.Header.Get("Authorization"), "AWS ") || r.URL.Query().Has("Signature") {
			e.Signature = "SigV2"
		}
	}
	if r.TLS != nil {
		e.Cipher, e.TLS = tls.CipherSuiteName(r.TLS.CipherSuite), strings.ReplaceAll(strings.Replace(tls.VersionName(r.TLS.Version), "TLS ", "TLSv", 1), " ", "")
	}
	return e
}

// restName is how access logs call the operation.
func (c *call) restName() string {
	what, sub := "BUCKET", ""
	if c.key != "" {
		what = "OBJECT"
	}
	if c.op != nil {
		sub = c.op.Sub
	}
	switch {
	case c.op == nil:
	case c.op.Name == "DeleteObjects":
		what = "MULTI_OBJECT_DELETE"
	case sub == "uploadId" && c.r.Method == http.MethodPut:
		what = "PART"
	case sub == "uploadId":
		what = "UPLOAD"
	case c.op.Name == "CopyObject":
		return "REST.COPY.OBJECT"
	case sub != "":
		what = strings.ToUpper(strings.ReplaceAll(sub, "-", "_"))
		if c.key != "" && sub != "uploads" {
			what = "OBJECT_" + what
		}
	}
	return "REST." + c.r.Method + "." + what
}
