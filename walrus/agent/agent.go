// Package agent asks the S3 API, within the process, for what the store does in
// its own name: the delivery of logs and lists, and the reading of what is
// copied elsewhere.
//
// An agent's requests go the way of all others: they are authorised (as a
// service that a bucket's policy or list must let in, or as the account whose
// objects are read), counted, sealed and told of. So no loop of the mill needs
// to know what a bucket's settings ask of a put.
package agent

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"karri/shared/fault"
	"karri/walrus/s3"
)

// Agent is a client of the API in the same process.
type Agent struct{ api http.Handler }

// New returns a client of the API that conf describes.
func New(conf s3.Config) *Agent {
	conf.Auth, conf.Domains, conf.WebsiteDomains, conf.Journal = inside{}, nil, nil, nil
	return &Agent{s3.New(conf)}
}

// A Request is one request.
type Request struct {
	As          s3.Caller
	Method      string
	Bucket, Key string
	Query       url.Values
	Header      http.Header
	Body        io.Reader
	Size        int64
}

type callerKey struct{}

// inside believes the context, which nobody else makes.
type inside struct{}

type body struct {
	io.Reader
	size int64
}

func (b body) Size() int64        { return b.size }
func (body) Trailer() http.Header { return nil }

// Authenticate is s3.Authenticator's.
func (inside) Authenticate(r *http.Request) (s3.Caller, s3.Body, error) {
	return r.Context().Value(callerKey{}).(s3.Caller), body{r.Body, r.ContentLength}, nil
}

func (a *Agent) request(ctx context.Context, q Request) (*http.Request, error) {
	u := url.URL{Path: "/" + q.Bucket + "/" + q.Key, RawQuery: q.Query.Encode()}
	u.RawPath = "/" + q.Bucket + "/" + strings.ReplaceAll(url.PathEscape(q.Key), "%2F", "/")
	var content io.Reader = http.NoBody
	if q.Body != nil {
		content = q.Body
	}
	r, err := http.NewRequestWithContext(context.WithValue(ctx, callerKey{}, q.As), q.Method, u.String(), content)
	if err != nil {
		return nil, err
	}
	if q.Header != nil {
		r.Header = q.Header
	}
	r.Host, r.ContentLength = "walrus", q.Size
	return r, nil
}

// Do sends a request whose answer is small and returns its headers. What S3
// refuses is a fault with its code.
func (a *Agent) Do(ctx context.Context, q Request) (http.Header, error) {
	h, r, err := a.Open(ctx, q)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return h, err
}

// Open sends a request and returns the headers and the body of its answer. The
// caller closes the body, also before its end.
func (a *Agent) Open(ctx context.Context, q Request) (http.Header, io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	r, err := a.request(ctx, q)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	from, to := io.Pipe()
	w := &writer{header: http.Header{}, to: to, begun: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if p := recover(); p != nil { // as a server does: the answer is cut off
				_ = to.CloseWithError(fmt.Errorf("the answer ended early: %v", p))
			}
			w.WriteHeader(http.StatusOK)
			_ = to.Close()
		}()
		a.api.ServeHTTP(w, r)
	}()
	<-w.begun
	answer := &answer{PipeReader: from, end: func() { cancel(); <-ended }}
	if w.status/100 != 2 {
		err := refusal(w.status, answer)
		_ = answer.Close()
		return nil, nil, err
	}
	return w.header, answer, nil
}

// refusal is the fault that an answer tells.
func refusal(status int, r io.Reader) error {
	var x struct{ Code, Message string }
	b, err := io.ReadAll(io.LimitReader(r, 64<<10))
	if err == nil && len(b) > 0 {
		err = xml.Unmarshal(b, &x)
	}
	kind := fault.Broken
	switch status {
	case http.StatusForbidden:
		kind = fault.Denied
	case http.StatusNotFound:
		kind = fault.Missing
	case http.StatusPreconditionFailed, http.StatusConflict:
		kind = fault.Conflict
	case http.StatusServiceUnavailable:
		kind = fault.Later
	case http.StatusInsufficientStorage:
		kind = fault.Full
	default:
		if status/100 == 4 {
			kind = fault.Invalid
		}
	}
	if x.Code == "" {
		x.Code, x.Message = http.StatusText(status), fmt.Sprint("status ", status)
	}
	return fault.New(kind, x.Code, "%s", x.Message).Because(err)
}

// answer is a body whose end ends the request.
type answer struct {
	*io.PipeReader
	end func()
}

func (a *answer) Close() error {
	err := a.PipeReader.Close()
	a.end()
	return err
}

// writer is a http.ResponseWriter whose body is a pipe.
type writer struct {
	header http.Header
	status int
	to     *io.PipeWriter
	begun  chan struct{}
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
		close(w.begun)
	}
}

func (w *writer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.to.Write(p)
}
