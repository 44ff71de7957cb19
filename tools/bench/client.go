package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"karri/shared/sign"
)

// A shot is one request, signed and ready to be sent, and what its answer
// must be.
type shot struct {
	head []byte
	body []byte
	want []byte // the answer's body; not compared when nil
	etag string // the answer's, without quotes; not compared when empty
	// good finds fault with the answer's body; nil: not asked. It is not asked
	// again of the same bytes.
	good func(body []byte) error
}

// ask makes a shot. The payload is what x-amz-content-sha256 says.
func (s *side) ask(method, path string, body []byte, payload string, headers ...string) (*shot, error) {
	r, err := http.NewRequest(method, "http://"+s.host+path, nil)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if err := sign.Request(r, s.keys, sign.Scope{Region: "us-east-1", Service: "s3", At: time.Now()}, payload); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(method + " " + r.URL.RequestURI() + " HTTP/1.1\r\nHost: " + s.host + "\r\n")
	if err := r.Header.Write(&b); err != nil {
		return nil, err
	}
	if method == http.MethodPut || method == http.MethodPost {
		b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	b.WriteString("\r\n")
	return &shot{head: b.Bytes(), body: body}, nil
}

// A conn is one connection to a side.
type conn struct {
	net.Conn
	in      *bufio.Reader
	scratch []byte
	body    bytes.Buffer
	known   []byte // a body that was found good
}

func (s *side) dial(ctx context.Context) (*conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", s.host)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 32<<10), scratch: make([]byte, 128<<10)}, nil
}

// fire sends a shot and checks its answer, which it returns without the body.
func (c *conn) fire(s *shot) (*http.Response, error) {
	res, err := c.send(s)
	if err != nil {
		return nil, err
	}
	switch {
	case s.good != nil:
		return res, c.examine(res.Body, s.good)
	case s.want != nil:
		return res, c.compare(res.Body, s.want)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res, err
}

// examine reads a body and has it found good, unless it is the one that was.
func (c *conn) examine(r io.Reader, good func([]byte) error) error {
	c.body.Reset()
	if _, err := c.body.ReadFrom(r); err != nil {
		return err
	}
	if c.known != nil && bytes.Equal(c.body.Bytes(), c.known) {
		return nil
	}
	if err := good(c.body.Bytes()); err != nil {
		return err
	}
	c.known = bytes.Clone(c.body.Bytes())
	return nil
}

// fetch is fire for an answer that is wanted.
func (c *conn) fetch(s *shot, into *bytes.Buffer) error {
	res, err := c.send(s)
	if err == nil {
		into.Reset()
		_, err = into.ReadFrom(res.Body)
	}
	return err
}

func (c *conn) send(s *shot) (*http.Response, error) {
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, err
	}
	out := net.Buffers{s.head, s.body}
	if _, err := out.WriteTo(c); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode/100 != 2 {
		text, _ := io.ReadAll(res.Body)
		line, _, _ := bytes.Cut(s.head, []byte("\r\n"))
		return res, fmt.Errorf("%s: %s: %s", line, res.Status, text)
	}
	if etag := strings.Trim(res.Header.Get("ETag"), `"`); s.etag != "" && etag != s.etag {
		return res, fmt.Errorf("the ETag is %s, not %s", etag, s.etag)
	}
	return res, nil
}

var errDiffers = errors.New("the bytes that came are not those that were put")

// compare reads r to its end, which must be that of want.
func (c *conn) compare(r io.Reader, want []byte) error {
	for {
		n, err := r.Read(c.scratch)
		if n > len(want) || !bytes.Equal(c.scratch[:n], want[:n]) {
			return errDiffers
		}
		want = want[n:]
		if err == io.EOF && len(want) == 0 {
			return nil
		}
		if err == io.EOF {
			return errDiffers
		}
		if err != nil {
			return err
		}
	}
}

// once sends one request on a connection of its own.
func (s *side) once(ctx context.Context, method, path string, body []byte, headers ...string) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	shot, err := s.ask(method, path, body, sign.UnsignedPayload, headers...)
	if err == nil {
		_, err = c.fire(shot)
	}
	return err
}
