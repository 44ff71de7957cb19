package s3

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"karri/shared/fault"
	"karri/walrus/index"
)

var (
	_ = define(operation{Name: "GetObject", Action: "s3:GetObject", Method: http.MethodGet, On: onObject, Run: (*call).getObject})
	_ = define(operation{Name: "HeadObject", Action: "s3:GetObject", Method: http.MethodHead, On: onObject, Run: (*call).getObject})
)

func (c *call) getObject() error {
	if c.who.Anonymous && slices.ContainsFunc(slices.Collect(maps.Keys(overrides)), c.query.Has) {
		return invalidRequest("Request specific response headers cannot be used for anonymous GET requests.")
	}
	var err error
	for range tries {
		if err = c.getOnce(); err != errReplaced {
			return err
		}
		if err := c.renew(c.target); err != nil {
			return err
		}
	}
	return err
}

// errReplaced says that an object's only piece went, because the object was
// replaced after it had been found. That is rare; to find each object twice, to
// be sure that its pieces were held in time, would cost every request.
var errReplaced = fault.New(fault.Later, "SlowDown", "Please reduce your request rate.")

func (c *call) getOnce() error {
	find := c.find
	if o := c.look(c.target); o != nil && len(o.Pieces) <= 1 || c.r.Method == http.MethodHead {
		find = c.hold
	}
	o, release, err := find(c.target)
	if err != nil && c.target.marker != nil {
		return c.marked(c.target.marker)
	}
	if err != nil {
		return err
	}
	defer release()
	if o.Marker {
		return c.marked(o)
	}
	c.showVersion(o.Version)
	by, err := c.sealOf(o.Seal, customerHeader)
	if err != nil {
		return err
	}
	if err := checkRead(c.r.Header, "", o); err != nil {
		c.set("ETag", quote(o.ETag))
		c.set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
		return err
	}
	off, n, part, err := c.wanted(o)
	if err != nil {
		return err
	}
	if c.r.Method == http.MethodHead {
		c.w.WriteHeader(c.headers(o, by, off, n, part))
		return nil
	}
	s, err := c.read(o, by, off, n)
	if err != nil {
		return c.gone(o, err)
	}
	defer s.Close()
	return c.send(c.headers(o, by, off, n, part), s)
}

// hold is find without looking twice.
func (c *call) hold(t *target) (*index.Object, func(), error) {
	o, err := c.found(t)
	if err != nil {
		return nil, nil, err
	}
	return o, c.Holds.Hold(ids(o.Pieces)...), nil
}

// gone returns why an object could not be opened: errReplaced where it is
// another by now.
func (c *call) gone(o *index.Object, why error) error {
	t := c.target
	now, err := c.Objects.Object(c.ctx, t.bucket.Name, t.key, t.version)
	if fault.KindOf(err) == fault.Missing || err == nil && now.ID != o.ID {
		return errReplaced
	}
	return why
}

// headers writes the headers of an answer and returns its status.
func (c *call) headers(o *index.Object, by *sealing, off, n int64, part bool) int {
	c.describe(o)
	c.told(o.Seal, by.customer)
	h := c.w.Header()
	h.Set("Content-Length", strconv.FormatInt(n, 10))
	if part {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", off, off+n-1, o.Size))
		return http.StatusPartialContent
	}
	if c.sumsWanted() {
		c.echoChecksum(o.Checksum)
	}
	return http.StatusOK
}

func (c *call) sumsWanted() bool {
	return strings.EqualFold(c.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED")
}

// send answers with a stream. Its first bytes are read, and so verified, before
// the status is sent; damage that shows later ends the connection.
func (c *call) send(code int, s *stream) error {
	first, err := s.ready()
	if err != nil {
		return err
	}
	c.w.WriteHeader(code)
	out := &clientWriter{w: c.w}
	if len(first) > 0 {
		if _, err := out.Write(first); err != nil {
			return nil // the client went away
		}
	}
	if _, err := s.WriteTo(out); err != nil && out.err == nil {
		return errors.Join(err, errBegun)
	}
	return nil
}

// A clientWriter remembers whether it was the client that failed.
type clientWriter struct {
	w   io.Writer
	err error
}

func (w *clientWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// wanted returns the bytes that are asked for, by range or by part.
func (c *call) wanted(o *index.Object) (off, n int64, part bool, err error) {
	ranged := c.r.Header.Get("Range")
	if c.query.Has("partNumber") {
		if ranged != "" {
			return 0, 0, false, invalidRequest("Cannot specify both Range header and partNumber query parameter")
		}
		return c.wantedPart(o)
	}
	if ranged != "" && c.ifRange(o) {
		off, n, ok, err := parseRange(ranged, o.Size)
		if err != nil {
			c.set("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
			return 0, 0, false, err
		}
		if ok {
			return off, n, true, nil
		}
	}
	return 0, o.Size, false, nil
}

func (c *call) wantedPart(o *index.Object) (off, n int64, part bool, err error) {
	number, err := strconv.Atoi(c.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return 0, 0, false, invalidArgument("Part number must be an integer between 1 and 10000, inclusive")
	}
	if len(o.Pieces) == 0 || o.Pieces[0].Part == 0 { // not uploaded in parts: it is its own first
		if number == 1 {
			return 0, o.Size, o.Size > 0, nil
		}
	}
	for _, p := range o.Pieces {
		if p.Part == number {
			c.set("x-amz-mp-parts-count", strconv.Itoa(len(o.Pieces)))
			if p.Checksum != "" && c.sumsWanted() {
				c.set(o.Checksum.Algorithm.Header(), p.Checksum)
			}
			return off, p.Size, p.Size > 0, nil
		}
		off += p.Size
	}
	return 0, 0, false, fault.New(fault.Invalid, "InvalidPartNumber", "The requested partnumber is not satisfiable")
}

// ifRange reports whether a range counts: with an If-Range that names another
// state of the object, the whole is wanted.
func (c *call) ifRange(o *index.Object) bool {
	v := c.r.Header.Get("If-Range")
	if t, ok := parseTime(v); ok {
		return o.Modified.Unix() == t.Unix()
	}
	return v == "" || unquote(v) == o.ETag
}
