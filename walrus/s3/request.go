package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"karri/shared/fault"
	"karri/shared/rest"
)

const (
	maxKey  = 1024
	maxBody = 2 << 20 // of a request in XML
	xmlns   = "http://s3.amazonaws.com/doc/2006-03-01/"
)

// HostBucket returns the bucket that the Host header names under one of the
// domains, or "".
func HostBucket(domains []string, host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	for _, d := range domains {
		if name, ok := strings.CutSuffix(strings.ToLower(host), "."+strings.ToLower(d)); ok && name != "" {
			return name
		}
	}
	return ""
}

// locate finds bucket and key in the path as it was sent, since a key may
// hold "//", ".." and escaped slashes that must stay what they are.
func (c *call) locate() error {
	raw := c.r.URL.EscapedPath()
	path := strings.TrimPrefix(raw, "/")
	c.bucket = HostBucket(c.WebsiteDomains, c.r.Host)
	if c.isSite = c.bucket != ""; !c.isSite {
		c.bucket = HostBucket(c.Domains, c.r.Host)
	}
	if c.bucket == "" {
		name, rest, _ := strings.Cut(path, "/")
		var err error
		if c.bucket, err = url.PathUnescape(name); err != nil {
			return fault.New(fault.Invalid, "InvalidURI", "Couldn't parse the specified URI.")
		}
		path = rest
	}
	key, err := url.PathUnescape(path)
	if err != nil || !utf8.ValidString(key) {
		return fault.New(fault.Invalid, "InvalidURI", "Couldn't parse the specified URI.")
	}
	c.key = key
	if len(key) > maxKey {
		return fault.New(fault.Invalid, "KeyTooLongError", "Your key is too long")
	}
	if c.bucket != "" && !validName(c.bucket) {
		return fault.New(fault.Invalid, "InvalidBucketName", "The specified bucket is not valid.")
	}
	return nil
}

// validName reports whether a bucket may have this name.
func validName(n string) bool {
	if len(n) < 3 || len(n) > 63 || strings.Contains(n, "..") || net.ParseIP(n) != nil {
		return false
	}
	for i, r := range n {
		edge := i == 0 || i == len(n)-1
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		case (r == '-' || r == '.') && !edge:
		default:
			return false
		}
	}
	for _, p := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(n, p) {
			return false
		}
	}
	for _, s := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(n, s) {
			return false
		}
	}
	return true
}

// number reads a query parameter that is a count up to most; without it, most.
func (c *call) number(name string, most int) (int, error) {
	if !c.query.Has(name) {
		return most, nil
	}
	n, err := strconv.ParseInt(c.query.Get(name), 10, 32)
	if err != nil || n < 0 {
		return 0, invalidArgument("Provided %s not an integer or within integer range", name)
	}
	return min(int(n), most), nil
}

// xml answers with a document.
func (c *call) xml(status int, v any) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(v); err != nil {
		rest.NoteError(c.ctx, err)
		status = http.StatusInternalServerError
		b.Reset()
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b.Bytes()) // a client that went away needs no answer
}

// readXML reads a request that is a document, and proves its digests. An
// empty body leaves v as it is when it may be empty.
func (c *call) readXML(v any, mayBeEmpty bool) error {
	d, err := c.digests()
	if err != nil {
		return err
	}
	b, err := c.readBody(d)
	if err != nil {
		return err
	}
	if err := d.prove(c.body); err != nil {
		return err
	}
	if len(b) == 0 && mayBeEmpty {
		return nil
	}
	return parseXML(b, v)
}

// readPlainXML is readXML for a request whose checksum headers do not speak of
// its body.
func (c *call) readPlainXML(v any) error {
	b, err := c.readBody(io.Discard)
	if err != nil {
		return err
	}
	return parseXML(b, v)
}

func (c *call) readBody(hash io.Writer) ([]byte, error) {
	long := fault.New(fault.Invalid, "MaxMessageLengthExceeded", "Your request was too large.")
	if c.body.Size() > maxBody {
		return nil, long
	}
	var b bytes.Buffer
	n, err := io.Copy(io.MultiWriter(&b, hash), io.LimitReader(c.body, maxBody+1))
	if err != nil {
		return nil, bodyFault(err)
	}
	if n > maxBody {
		return nil, long
	}
	c.sheet = b.Bytes()
	return b.Bytes(), nil
}

func parseXML(b []byte, v any) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		return malformedXML.Because(err)
	}
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if _, ok := t.(xml.StartElement); ok || err != nil {
			return malformedXML
		}
	}
}

// bodyFault turns an error of reading a body into what the caller did wrong.
func bodyFault(err error) error {
	if _, ok := errors.AsType[*fault.Fault](err); ok {
		return err
	}
	return incompleteBody.Because(err)
}
