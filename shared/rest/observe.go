package rest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"karri/shared/fault"
)

// stall is how long a connection may stand still within a body.
const stall = 60 * time.Second

// Observer logs and counts the requests of one listener.
type Observer struct {
	Listener string // internal, public or admin
	Log      *slog.Logger
	Metrics  *Metrics
	Fault    func(w http.ResponseWriter, r *http.Request, err error) // answers a panic; Fault when nil
}

// wrap gives each request its id, its line in the log and its place in the
// metrics, turns a panic into a Broken fault, and bounds how long a body may
// stand still.
func (o *Observer) wrap(next http.Handler, draining <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{id: o.requestID(r), draining: draining}
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		limit := deadlines{http.NewResponseController(w)}
		rec := &recorder{ResponseWriter: w, deadlines: limit}
		rec.conn, _ = r.Context().Value(gatheringKey{}).(*gathering)
		body := &watched{ReadCloser: r.Body, deadlines: limit}
		r.Body = body
		limit.write() // the one that an earlier request left is long past
		start := time.Now()
		o.Metrics.running.WithLabelValues(o.Listener).Inc()
		defer func() {
			if p := recover(); p != nil {
				o.panicked(rec, r, p)
			}
			o.Metrics.running.WithLabelValues(o.Listener).Dec()
			o.done(rec, r, c, body.bytes.Load(), time.Since(start))
			limit.write() // for what is still buffered
		}()
		next.ServeHTTP(rec, r)
	})
}

func (o *Observer) requestID(r *http.Request) string {
	// Only a component's own id is believed; its certificate was checked.
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && o.Listener == "internal" {
		if id := r.Header.Get(RequestIDHeader); requestIDForm.MatchString(id) {
			return id
		}
	}
	return NewRequestID()
}

func (o *Observer) panicked(rec *recorder, r *http.Request, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	err := fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	NoteError(r.Context(), err)
	if rec.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	answer := o.Fault
	if answer == nil {
		answer = Fault
	}
	answer(rec, r, fault.Of(err))
	NoteError(r.Context(), err)
}

func (o *Observer) done(rec *recorder, r *http.Request, c *call, taken int64, took time.Duration) {
	if c.route == "" {
		c.route = "none"
	}
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	o.Metrics.requests.WithLabelValues(o.Listener, c.route, r.Method, strconv.Itoa(rec.status)).Inc()
	o.Metrics.seconds.WithLabelValues(o.Listener, c.route).Observe(took.Seconds())
	if rec.bytes > 0 {
		o.Metrics.bytes.WithLabelValues(o.Listener, c.route, "out").Add(float64(rec.bytes))
	}
	if taken > 0 {
		o.Metrics.bytes.WithLabelValues(o.Listener, c.route, "in").Add(float64(taken))
	}
	if c.err != nil && rec.status >= 400 {
		o.Metrics.errors.WithLabelValues(o.Listener, c.route, fault.CodeOf(c.err)).Inc()
	}
	level := slog.LevelInfo
	if c.quiet && (rec.status < 400 || o.Listener == "admin") {
		level = slog.LevelDebug
	}
	if c.err != nil && fault.KindOf(c.err) == fault.Broken {
		level = slog.LevelError
	}
	if !o.Log.Enabled(r.Context(), level) {
		return
	}
	// A record of its own, since Log looks up its caller for each line and boxes
	// each value.
	line := slog.NewRecord(time.Now(), level, "request", 0)
	var room [20]slog.Attr
	attrs := append(room[:0], slog.String("request_id", c.id), slog.String("listener", o.Listener), slog.String("method", r.Method),
		slog.String("path", r.URL.EscapedPath()), slog.String("route", c.route), slog.Int("status", rec.status), slog.Int64("bytes", rec.bytes), slog.Int64("bytes_in", taken),
		slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("remote", r.RemoteAddr))
	if c.caller.Role != "" {
		attrs = append(attrs, slog.String("caller", c.caller.String()))
	}
	if c.err != nil {
		attrs = append(attrs, slog.String("err", c.err.Error()))
	}
	line.AddAttrs(append(attrs, c.notes...)...)
	_ = o.Log.Handler().Handle(r.Context(), line) // a log that cannot be written is nobody's request
}

// deadlines bounds how long a connection stands still.
type deadlines struct{ control *http.ResponseController }

func (d deadlines) write() { _ = d.control.SetWriteDeadline(time.Now().Add(stall)) }

// recorder notes what is answered, and passes on what net/http can do besides.
type recorder struct {
	http.ResponseWriter
	deadlines
	conn   *gathering // nil: it gathers nothing
	begun  bool       // something was sent
	status int
	bytes  int64
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.write()
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.write()
	if !w.begun && len(b) >= flushed && len(b) <= gathered && w.conn != nil {
		w.conn.next.Store(true)
	}
	w.begun = true
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher.
func (w *recorder) Flush() {
	w.begun = true
	_ = w.control.Flush()
}

// piece bounds what is sent under one deadline.
const piece = 1 << 20

// ReadFrom lets a file go to the socket without passing through us, in pieces
// so that a slow but steady reader is not cut off.
func (w *recorder) ReadFrom(src io.Reader) (total int64, err error) {
	w.begun = true
	rf, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{w}, src)
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	left, limited := int64(-1), false
	if l, ok := src.(*io.LimitedReader); ok { // what http.ServeContent passes
		src, left, limited = l.R, l.N, true
	}
	for !limited || left > 0 {
		n := int64(piece)
		if limited {
			n = min(n, left)
		}
		w.write()
		got, err := rf.ReadFrom(&io.LimitedReader{R: src, N: n})
		total, left, w.bytes = total+got, left-got, w.bytes+got
		if err != nil || got < n {
			return total, err
		}
	}
	return total, nil
}

// watched is a request body that may not stand still.
type watched struct {
	io.ReadCloser
	deadlines
	bytes atomic.Int64
}

func (b *watched) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(stall))
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(int64(n))
	if err != nil {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
