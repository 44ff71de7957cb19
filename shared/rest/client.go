package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/token"
)

// PeerAway is the code of the fault for a component that cannot be reached. Its
// kind is Later: whether the request was done is not known.
const PeerAway = "PeerAway"

const (
	callLimit = 30 * time.Second
	tries     = 3 // of a safe request
)

// Dial opens a connection; a cloud in one process has its own.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// Client sends requests to one component. It may be used by several
// goroutines; Close frees its idle connections.
type Client struct {
	addr string
	peer pki.Identity
	self func() *pki.Credentials
	http *http.Client
	boot atomic.Pointer[string]
	with atomic.Pointer[pki.Credentials] // that the open connections were made with
}

// NewClient returns a client of the component peer at addr, which speaks as
// self; dial is nil for the network.
func NewClient(self func() *pki.Credentials, peer pki.Identity, addr string, dial Dial) *Client {
	c := &Client{addr: addr, peer: peer, self: self}
	if dial == nil {
		dial = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	}
	conf := &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: peer.String(),
		// The chain is verified below, against the cloud's own root and
		// for the one identity that is meant, whatever the address is.
		InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			t := self().TLS()
			return &t, nil
		},
		VerifyConnection: func(s tls.ConnectionState) error {
			id, err := pki.Verify(s.PeerCertificates, self().Root, time.Now())
			if err == nil && id != peer {
				err = fmt.Errorf("%s answers at %s, not %s", id, addr, peer)
			}
			return err
		},
	}
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext: dial, TLSClientConfig: conf, TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second, ExpectContinueTimeout: 5 * time.Second,
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Peer returns who the client speaks to.
func (c *Client) Peer() pki.Identity { return c.peer }

// Call sends in as JSON (nil: no body) and decodes the answer into out (nil:
// the answer is not looked at). Without a deadline in ctx it has 30 seconds.
func (c *Client) Call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callLimit)
		defer cancel()
	}
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	res, err := c.Do(ctx, Request{Method: method, Path: path, Query: query, Body: body})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return c.away(err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("answer of %s to %s %s: %w", c.peer, method, path, err)
	}
	return nil
}

// Request is a request whose answer, and maybe body, streams.
type Request struct {
	Method string
	Path   string // decoded; it is escaped on the wire
	Query  url.Values
	Header http.Header
	Body   []byte    // a small body, or
	Stream io.Reader // one that is read once and signed behind its end
}

// Do sends r and returns the answer, whose body the caller closes. An answer
// of status 400 or more comes back as its fault. A body that stands still for
// a minute is given up.
func (c *Client) Do(ctx context.Context, r Request) (*http.Response, error) {
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	for try := 1; ; try++ {
		res, err := c.once(ctx, &r)
		f := fault.Of(err)
		again := err != nil && try < tries &&
			(f.Code == token.WrongBoot && r.Stream == nil || f.Code == PeerAway && safe || f.Code == UnknownComponent && r.Stream == nil)
		if !again {
			return res, err
		}
		if f.Code == UnknownComponent { // the connection may be one of an old certificate
			c.http.CloseIdleConnections()
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		}
	}
}

// once sends r once. A streamed body that was not touched, because the token
// was for another boot or the connection an old one, is sent again.
func (c *Client) once(ctx context.Context, r *Request) (*http.Response, error) {
	boot, err := c.bootID(ctx)
	if err != nil {
		return nil, err
	}
	res, touched, err := c.send(ctx, r, boot)
	if err == nil {
		return res, nil
	}
	for range 2 {
		code := fault.CodeOf(err)
		if r.Stream == nil || touched || ctx.Err() != nil || code != token.WrongBoot && code != PeerAway {
			break
		}
		if boot, err = c.bootID(ctx); err != nil {
			return nil, err
		}
		if res, touched, err = c.send(ctx, r, boot); err == nil {
			return res, nil
		}
	}
	return nil, err
}

func (c *Client) bootID(ctx context.Context) (string, error) {
	if b := c.boot.Load(); b != nil {
		return *b, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+c.addr+"/v1/boot", nil)
	if err != nil {
		return "", err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return "", c.away(err)
	}
	defer res.Body.Close()
	var b boot
	if err := json.NewDecoder(io.LimitReader(res.Body, 4096)).Decode(&b); err != nil {
		return "", c.away(err)
	}
	c.boot.Store(&b.Boot)
	return b.Boot, nil
}

// speaker returns the credentials to speak with. Connections that were made with
// others before know us by a certificate that ends, and are given up.
func (c *Client) speaker() *pki.Credentials {
	creds := c.self()
	if old := c.with.Swap(creds); old != nil && old != creds {
		c.http.CloseIdleConnections()
	}
	return creds
}

func (c *Client) send(ctx context.Context, r *Request, boot string) (*http.Response, bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	u := url.URL{Scheme: "https", Host: c.addr, Path: r.Path, RawQuery: r.Query.Encode()}
	creds := c.speaker()
	iss, jti := creds.Identity().String(), token.ID()
	path, query, _ := strings.Cut(u.RequestURI(), "?")
	what := token.Request{Method: r.Method, Path: path, Query: query, Body: token.Streamed}
	var body io.Reader
	var stream *signing
	if r.Stream == nil {
		sum := sha256.Sum256(r.Body)
		what.Body = hex.EncodeToString(sum[:])
		body = bytes.NewReader(r.Body)
	} else {
		stream = &signing{r: r.Stream, hash: sha256.New()}
		body = stream
	}
	signed, err := token.Sign(creds.Key, iss, boot, jti, what, time.Now())
	if err != nil {
		cancel()
		return nil, false, err
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		cancel()
		return nil, false, err
	}
	for k, v := range r.Header {
		req.Header[k] = v
	}
	req.Host = c.peer.String()
	req.Header.Set("Authorization", "Bearer "+signed)
	if id := RequestID(ctx); id != "" {
		req.Header.Set(RequestIDHeader, id)
	}
	if stream != nil {
		req.ContentLength = -1
		req.Header.Set("Expect", "100-continue")
		req.Trailer = http.Header{digestHeader: nil}
		stream.end = func(sum string) error {
			what.Body = sum
			tail, err := token.Sign(creds.Key, iss, boot, jti, what, time.Now())
			req.Trailer.Set(digestHeader, tail)
			return err
		}
	} else if len(r.Body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	touched := stream != nil && stream.touched.Load()
	if err != nil {
		cancel()
		return nil, touched, c.away(err)
	}
	if res.StatusCode >= 400 {
		defer cancel()
		return nil, touched, c.faultOf(res, boot)
	}
	res.Body = newIdle(res.Body, cancel)
	return res, touched, nil
}

// faultOf turns an answer, to a request for the given boot, back into the fault
// that the other side returned. A refusal that names another boot is one for
// that reason: the answer to a HEAD has no body that could say so.
func (c *Client) faultOf(res *http.Response, boot string) error {
	defer res.Body.Close()
	if now := res.Header.Get(bootHeader); now != "" && now != boot {
		c.boot.Store(&now)
		return fault.New(fault.Denied, token.WrongBoot, "The token is for another start of this server.")
	}
	f := &fault.Fault{}
	b, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if json.Unmarshal(b, f) != nil || f.Code == "" {
		f = fault.New(fault.Broken, "InternalError", "%s answered with status %d.", c.peer, res.StatusCode)
		for k, s := range statuses { // a HEAD has no body to say more
			if s == res.StatusCode {
				f.Kind = k
			}
		}
	}
	return f
}

func (c *Client) away(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return fault.New(fault.Later, PeerAway, "%s does not answer.", c.peer).Because(err)
}

// signing is a streamed body that is hashed on its way and signed at its end.
type signing struct {
	r       io.Reader
	hash    hash.Hash
	end     func(sum string) error
	touched atomic.Bool
}

func (s *signing) Read(p []byte) (int, error) {
	s.touched.Store(true)
	n, err := s.r.Read(p)
	s.hash.Write(p[:n])
	if err == io.EOF {
		if bad := s.end(hex.EncodeToString(s.hash.Sum(nil))); bad != nil {
			err = bad
		}
	}
	return n, err
}

// idle is the body of an answer; it gives up when it stands still.
type idle struct {
	io.ReadCloser
	cancel context.CancelFunc
	timer  *time.Timer
}

func newIdle(body io.ReadCloser, cancel context.CancelFunc) *idle {
	return &idle{ReadCloser: body, cancel: cancel, timer: time.AfterFunc(stall, cancel)}
}

func (b *idle) Read(p []byte) (int, error) {
	b.timer.Reset(stall)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop() // the reader's own time does not count
	return n, err
}

// Close implements io.Closer.
func (b *idle) Close() error {
	b.timer.Stop()
	defer b.cancel()
	return b.ReadCloser.Close()
}
