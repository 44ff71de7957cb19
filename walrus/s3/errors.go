package s3

import (
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"karri/shared/fault"
	"karri/shared/rest"
)

var (
	accessDenied     = fault.New(fault.Denied, "AccessDenied", "Access Denied")
	methodNotAllowed = fault.New(fault.Invalid, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	malformedXML     = fault.New(fault.Invalid, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	noLength         = fault.New(fault.Invalid, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	tooLarge         = fault.New(fault.Invalid, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	invalidRange     = fault.New(fault.Invalid, "InvalidRange", "The requested range is not satisfiable")
	incompleteBody   = fault.New(fault.Invalid, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.")
	invalidDigest    = fault.New(fault.Invalid, "InvalidDigest", "The Content-MD5 you specified was invalid.")
	precondition     = fault.New(fault.Conflict, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	notModified      = fault.New(fault.Invalid, "NotModified", "Not Modified")
)

func notImplemented(format string, args ...any) error {
	return fault.New(fault.Invalid, "NotImplemented", format, args...)
}

func invalidArgument(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidArgument", format, args...)
}

func invalidRequest(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidRequest", format, args...)
}

// statuses are those of codes whose kind does not say it: Invalid is 400.
var statuses = map[string]int{
	"MethodNotAllowed":       http.StatusMethodNotAllowed,
	"MissingContentLength":   http.StatusLengthRequired,
	"InvalidRange":           http.StatusRequestedRangeNotSatisfiable,
	"InvalidPartNumber":      http.StatusRequestedRangeNotSatisfiable,
	"PreconditionFailed":     http.StatusPreconditionFailed,
	"NotModified":            http.StatusNotModified,
	"NotImplemented":         http.StatusNotImplemented,
	"InsufficientStorage":    http.StatusInsufficientStorage,
	"OperationAborted":       http.StatusConflict,
	"RequestTimeTooSkewed":   http.StatusForbidden,
	"SlowDown":               http.StatusServiceUnavailable,
	"NoSuchObjectLockConfig": http.StatusNotFound,
}

func status(f *fault.Fault) int {
	if s, ok := statuses[f.Code]; ok {
		return s
	}
	switch f.Kind {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Denied:
		return http.StatusForbidden
	case fault.Missing:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Full, fault.Later:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

type errorXML struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   message
	Bucket    string `xml:"BucketName,omitempty"`
	Key       string `xml:",omitempty"`
	Method    string `xml:",omitempty"` // of AccessForbidden
	Type      string `xml:"ResourceType,omitempty"`
	Resource  string
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
}

// A message is a text whose quotes stay as they are, since that is how clients
// look for it.
type message string

// MarshalXML writes it.
func (m message) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(m)) // a strings.Builder takes all
	return e.EncodeElement(struct {
		Text string `xml:",innerxml"`
	}{strings.NewReplacer("&#34;", `"`, "&#39;", "'").Replace(b.String())}, start)
}

// fail answers with an error. One that comes after the answer has begun ends
// the connection, so that the client sees that it is not whole.
func (c *call) fail(err error) {
	f := fault.Of(err)
	s := status(f)
	rest.NoteError(c.ctx, err)
	if errors.Is(err, errBegun) {
		c.abort()
		return
	}
	if c.Fail != nil {
		c.Fail(c.w, c.r, err)
		return
	}
	if f.Kind == fault.Later && s == http.StatusServiceUnavailable {
		c.set("Retry-After", strconv.Itoa(2))
		if f.Code != "SlowDown" {
			f = fault.New(fault.Later, "ServiceUnavailable", "%s", f.Text)
		}
	}
	h := c.w.Header()
	for _, name := range []string{"ETag", "Content-Length", "Content-Range", "Accept-Ranges", "Content-Encoding"} {
		if s != http.StatusNotModified && !(s == http.StatusRequestedRangeNotSatisfiable && name == "Content-Range") {
			h.Del(name)
		}
	}
	if s == http.StatusNotModified || c.r.Method == http.MethodHead {
		h.Del("Content-Type")
		c.w.WriteHeader(s)
		return
	}
	out := errorXML{Code: f.Code, Message: message(f.Text), Bucket: c.bucket, Key: c.key,
		Resource: c.r.URL.EscapedPath(), RequestID: c.id, HostID: strings.Join(h["x-amz-id-2"], "")}
	if f.Code == "AccessForbidden" {
		out.Method, out.Type = c.r.Header.Get("Access-Control-Request-Method"), "OBJECT"
		if c.key == "" {
			out.Type = "BUCKET"
		}
	}
	c.xml(s, out)
}

// errBegun marks an error that came after the status was sent.
var errBegun = errors.New("the answer had begun")

// abort closes the connection in the middle of an answer, in the way that
// net/http documents.
func (c *call) abort() {
	if conn, _, err := http.NewResponseController(c.w).Hijack(); err == nil {
		_ = conn.Close()
	}
}
