// Package rest is HTTP as this cloud does it: one server and one client, with
// limits, request ids, access logs, metrics and clean shutdown. It is the door
// to gorilla/mux and to prometheus, and alone knows statuses of internal APIs.
//
// A daemon has up to three listeners. The internal one speaks mutual TLS 1.3
// under the cloud's own authority, and each request also carries a token that
// signs what it asks for (package token); a handler there finds in the context
// who calls, and every route says who may. The public one takes any
// http.Handler, since each public API has its own signatures and its own form
// of errors; plain HTTP is served on loopback only. The admin one, loopback
// only, has health, metrics and profiles.
//
// A handler returns its error; it becomes a fault in JSON with the status of
// its kind, and the client turns it back into the same fault. Trouble with the
// connection is a fault of kind Later, "PeerAway". Nothing is kept on disk: a
// crash ends requests that were under way, and callers ask again.
package rest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"

	"karri/shared/fault"
	"karri/shared/pki"
)

// RequestIDHeader carries the request id between tiers.
const RequestIDHeader = "X-Karri-Request-Id"

// ForHeader names the account with whose rights a component asks.
const ForHeader = "X-Karri-For"

const (
	bootHeader   = "X-Karri-Boot"   // of an answer: the boot id of the server
	digestHeader = "X-Karri-Digest" // trailer: the token of a streamed body
)

// call is what is known of a request while it is served.
type call struct {
	id       string
	route    string
	caller   pki.Identity
	claimed  string // whom a request that is not believed names
	key      string
	notes    []slog.Attr
	err      error
	quiet    bool
	unnoted  bool
	draining <-chan struct{}
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	if c == nil {
		c = &call{}
	}
	return c
}

// RequestID returns the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string { return callOf(ctx).id }

// WithRequestID returns a context for work outside a request, e.g. the pass of
// a loop, whose calls to other tiers and log lines carry id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, callKey{}, &call{id: id})
}

// NewRequestID returns a fresh id in the form that AWS's tools expect.
func NewRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	t := make([]byte, 0, 36)
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			t = append(t, '-')
		}
		t = append(t, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
	}
	return string(t)
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)

// Caller returns the component that sent the request; zero on a public listener.
func Caller(ctx context.Context) pki.Identity { return callOf(ctx).caller }

// CallerKey returns the hash (pki.KeyHash) of the key that the request is
// signed with, to tell a component from a later one of the same name.
func CallerKey(ctx context.Context) string { return callOf(ctx).key }

// Label names the route of a request for metrics and the access log, where the
// path does not: the action of a query API. Names must be few.
func Label(ctx context.Context, route string) { callOf(ctx).route = route }

// Note adds key and value to the request's line in the access log.
func Note(ctx context.Context, key string, value any) {
	c := callOf(ctx)
	if c.notes == nil {
		c.notes = make([]slog.Attr, 0, 4)
	}
	c.notes = append(c.notes, slog.Any(key, value))
}

// Unaudited keeps a request that succeeds out of the audit log: reading the log
// would otherwise never come to its end.
func Unaudited(ctx context.Context) { callOf(ctx).unnoted = true }

// NoteError keeps err for the access log; for handlers that write their errors
// themselves.
func NoteError(ctx context.Context, err error) { callOf(ctx).err = err }

// Draining is closed when the server of this request shuts down, so that a
// long poll can answer at once. Outside a request it is nil.
func Draining(ctx context.Context) <-chan struct{} { return callOf(ctx).draining }

var statuses = map[fault.Kind]int{
	fault.Broken: http.StatusInternalServerError, fault.Invalid: http.StatusBadRequest,
	fault.Denied: http.StatusForbidden, fault.Missing: http.StatusNotFound, fault.Conflict: http.StatusConflict,
	fault.Full: http.StatusInsufficientStorage, fault.Later: http.StatusServiceUnavailable,
}

// Fault answers err in the form of the internal APIs.
func Fault(w http.ResponseWriter, r *http.Request, err error) {
	NoteError(r.Context(), err)
	f := fault.Of(err)
	w.Header().Del("Content-Length")
	writeJSON(w, statuses[f.Kind], f)
}

// JSON answers v with status 200.
func JSON(w http.ResponseWriter, v any) error {
	writeJSON(w, http.StatusOK, v)
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		slog.Error("cannot encode an answer", "err", err)
		status, b = http.StatusInternalServerError, []byte(`{"kind":0,"code":"InternalError","text":"An internal error has occurred."}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// Read decodes the body of a request, strictly: an unknown member, or anything
// behind the value, is a fault.
func Read(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if f, ok := errors.AsType[*fault.Fault](err); ok {
			return f
		}
		return fault.New(fault.Invalid, "BadRequest", "The body is not what is expected here.").Because(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fault.New(fault.Invalid, "BadRequest", "There is more than one value in the body.").Because(err)
	}
	return nil
}
