package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/token"
)

var (
	cloudID   = pki.Identity{Role: pki.Cloudctl}
	clusterID = pki.Identity{Role: pki.Clusterctl, Zone: "z"}
	walrusID  = pki.Identity{Role: pki.Walrus}
)

func credentials(t *testing.T, root *pki.Credentials, id pki.Identity) func() *pki.Credentials {
	t.Helper()
	key, err := pki.Key(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.Request(key, id)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := root.Issue(csr, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.Enrolled(key, chain, root.RootPEM(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return func() *pki.Credentials { return c }
}

func newRoot(t *testing.T) *pki.Credentials {
	t.Helper()
	r, err := pki.NewRoot(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// logs collects log lines.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type harness struct {
	root  *pki.Credentials
	addr  string
	stop  func() error
	logs  *logs
	inner *Internal
}

// serve starts an internal API of the cluster with a few routes.
func serve(t *testing.T, root *pki.Credentials, self func() *pki.Credentials, addr string) *harness {
	t.Helper()
	m := NewMetrics()
	in := NewInternal(self, m)
	h := &harness{root: root, logs: &logs{}, inner: in}
	routes(in)
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &Server{Observer: Observer{Listener: "internal", Log: NewLog(h.logs, slog.LevelDebug), Metrics: m}, Handler: in, TLS: in.TLS()}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, ln) }()
	h.addr = ln.Addr().String()
	h.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func routes(in *Internal) {
	cloud := Roles(pki.Cloudctl)
	in.Handle("PUT", "/v1/echo/{name}", cloud, func(w http.ResponseWriter, r *http.Request) error {
		var v map[string]string
		if err := Read(r, &v); err != nil {
			return err
		}
		v["name"], v["caller"], v["id"] = Var(r, "name"), Caller(r.Context()).String(), RequestID(r.Context())
		return JSON(w, v)
	})
	in.Handle("HEAD", "/v1/echo/{name}", cloud, func(http.ResponseWriter, *http.Request) error { return nil })
	in.Handle("POST", "/v1/stream", cloud, func(w http.ResponseWriter, r *http.Request) error {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(w, n)
		return err
	})
	in.Handle("GET", "/v1/faults/{kind}", cloud, func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.Conflict, "Busy", "It is busy.").Because(errors.New("a secret"))
	})
	in.Handle("GET", "/v1/panic", cloud, func(http.ResponseWriter, *http.Request) error { panic("boom") })
	in.Handle("GET", "/v1/wait", cloud, func(w http.ResponseWriter, r *http.Request) error {
		select {
		case <-Draining(r.Context()):
			return JSON(w, "drained")
		case <-r.Context().Done():
			return r.Context().Err()
		}
	})
}

func TestCalls(t *testing.T) {
	root := newRoot(t)
	cloud, cluster := credentials(t, root, cloudID), credentials(t, root, clusterID)
	h := serve(t, root, cluster, "127.0.0.1:0")
	c := NewClient(cloud, clusterID, h.addr, nil)
	defer c.Close()
	ctx := WithRequestID(t.Context(), "11111111-aaaa")
	var got map[string]string
	if err := c.Call(ctx, "PUT", "/v1/echo/a//b c", url.Values{"q": {"x y"}}, map[string]string{"k": "v"}, &got); err == nil {
		t.Fatal("a slash matched one segment")
	}
	if err := c.Call(ctx, "PUT", "/v1/echo/b c%2F", url.Values{"q": {"x y"}}, map[string]string{"k": "v"}, &got); err != nil {
		t.Fatal(err)
	}
	if got["k"] != "v" || got["name"] != "b c%2F" || got["caller"] != "cloudctl.karri" || got["id"] != "11111111-aaaa" {
		t.Errorf("%v", got)
	}
	err := c.Call(ctx, "GET", "/v1/faults/x", nil, nil, nil)
	if f := fault.Of(err); f.Kind != fault.Conflict || f.Code != "Busy" || f.Text != "It is busy." || f.Err != nil {
		t.Errorf("fault came back as %+v", f)
	}
	if err := c.Call(ctx, "GET", "/v1/panic", nil, nil, nil); fault.CodeOf(err) != "InternalError" || fault.KindOf(err) != fault.Broken {
		t.Errorf("panic: %v", err)
	}
	if err := c.Call(ctx, "GET", "/v1/nothing", nil, nil, nil); fault.KindOf(err) != fault.Missing {
		t.Errorf("no route: %v", err)
	}
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{`"request_id":"11111111-aaaa"`, "a secret", "panic: boom", `"route":"/v1/echo/{name}"`, `"caller":"cloudctl.karri"`} {
		if !strings.Contains(h.logs.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, h.logs)
		}
	}
	if err := c.Call(ctx, "GET", "/v1/faults/x", nil, nil, nil); fault.CodeOf(err) != PeerAway || fault.KindOf(err) != fault.Later {
		t.Errorf("server away: %v", err)
	}
	// Another start has another boot id; the client finds out by itself.
	h2 := serve(t, root, cluster, h.addr)
	if err := c.Call(ctx, "PUT", "/v1/echo/x", nil, map[string]string{}, &got); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	_ = h2.stop()
	serve(t, root, cluster, h.addr)
	if res, err := c.Do(ctx, Request{Method: "POST", Path: "/v1/stream", Stream: strings.NewReader("abc")}); err != nil {
		t.Errorf("stream after a restart: %v", err)
	} else {
		res.Body.Close()
	}
}

func TestStrangersAreRefused(t *testing.T) {
	root := newRoot(t)
	cluster := credentials(t, root, clusterID)
	h := serve(t, root, cluster, "127.0.0.1:0")
	call := func(self func() *pki.Credentials, peer pki.Identity) error {
		c := NewClient(self, peer, h.addr, nil)
		defer c.Close()
		return c.Call(t.Context(), "PUT", "/v1/echo/x", nil, map[string]string{}, nil)
	}
	if err := call(credentials(t, root, walrusID), clusterID); fault.CodeOf(err) != "NotForYou" {
		t.Errorf("wrong role: %v", err)
	}
	if err := call(credentials(t, root, cloudID), pki.Identity{Role: pki.Clusterctl, Zone: "y"}); fault.CodeOf(err) != PeerAway || !strings.Contains(err.Error(), "z.clusterctl.karri answers") {
		t.Errorf("wrong server: %v", err)
	}
	strange := newRoot(t)
	if err := call(credentials(t, strange, cloudID), clusterID); err == nil {
		t.Error("a component of another cloud got in")
	}
	res := raw(t, h, nil, func(*http.Request) {})
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("no certificate: %d", res.StatusCode)
	}
}

// raw sends a PUT /v1/echo/x, as edited, over TLS with the certificate of self.
func raw(t *testing.T, h *harness, self func() *pki.Credentials, edit func(*http.Request)) *http.Response {
	t.Helper()
	conf := &tls.Config{InsecureSkipVerify: true}
	if self != nil {
		conf.Certificates = []tls.Certificate{self().TLS()}
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}}
	req, _ := http.NewRequestWithContext(t.Context(), "PUT", "https://"+h.addr+"/v1/echo/x", strings.NewReader("{}"))
	edit(req)
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func TestWhatWasNotSignedIsRefused(t *testing.T) {
	root := newRoot(t)
	cloud := credentials(t, root, cloudID)
	h := serve(t, root, credentials(t, root, clusterID), "127.0.0.1:0")
	const empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of {}
	sign := func(boot string, r token.Request, at time.Time) string {
		s, err := token.Sign(cloud().Key, "cloudctl.karri", boot, token.ID(), r, at)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + s
	}
	good := token.Request{Method: "PUT", Path: "/v1/echo/x", Body: empty}
	boot := h.inner.tokens.Boot
	once := sign(boot, good, time.Now())
	for _, c := range []struct {
		name, auth, code string
		edit             func(*http.Request)
	}{
		{"honest", once, "", nil},
		{"replayed", once, token.Replayed, nil},
		{"no token", "", token.Unsigned, nil},
		{"other body", sign(boot, good, time.Now()), token.Altered, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("[]")) }},
		{"query added", sign(boot, good, time.Now()), token.Altered, func(r *http.Request) { r.URL.RawQuery = "a=b" }},
		{"path escaped otherwise", sign(boot, good, time.Now()), token.Altered, func(r *http.Request) { r.URL.RawPath = "/v1/echo/%78" }},
		{"late", sign(boot, good, time.Now().Add(-2*time.Minute)), token.ClockSkew, nil},
		{"early", sign(boot, good, time.Now().Add(2*time.Minute)), token.ClockSkew, nil},
		{"other start", sign("other", good, time.Now()), token.WrongBoot, nil},
		{"digest without trailer", sign(boot, token.Request{Method: "PUT", Path: good.Path, Body: token.Streamed}, time.Now()), token.Altered, nil},
	} {
		res := raw(t, h, cloud, func(r *http.Request) {
			r.Header.Set("Authorization", c.auth)
			if c.edit != nil {
				c.edit(r)
			}
		})
		var f fault.Fault
		_ = json.NewDecoder(res.Body).Decode(&f)
		if f.Code != c.code || (c.code == "") != (res.StatusCode == 200) {
			t.Errorf("%s: %d %+v, want %q", c.name, res.StatusCode, f, c.code)
		}
	}
	numbers := httptest.NewRecorder()
	h.inner.metrics.handler().ServeHTTP(numbers, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for code, n := range map[string]int{token.Replayed: 1, token.Unsigned: 1, token.Altered: 4, token.ClockSkew: 2, token.WrongBoot: 1} {
		if line := fmt.Sprintf("karri_refused_requests_total{reason=%q} %d\n", code, n); !strings.Contains(numbers.Body.String(), line) {
			t.Errorf("the numbers have no %s", line)
		}
	}
}

func TestAStreamIsSignedAtItsEnd(t *testing.T) {
	root := newRoot(t)
	cloud := credentials(t, root, cloudID)
	h := serve(t, root, credentials(t, root, clusterID), "127.0.0.1:0")
	c := NewClient(cloud, clusterID, h.addr, nil)
	defer c.Close()
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	res, err := c.Do(t.Context(), Request{Method: "POST", Path: "/v1/stream", Stream: bytes.NewReader(big)})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if string(b) != fmt.Sprint(len(big)) {
		t.Errorf("%s bytes arrived", b)
	}
	// The trailer of other bytes, and a body that ends early, are not taken for whole.
	for name, tail := range map[string]string{"other bytes": "00", "none": ""} {
		jti := token.ID()
		what := token.Request{Method: "POST", Path: "/v1/stream", Body: token.Streamed}
		head, _ := token.Sign(cloud().Key, "cloudctl.karri", h.inner.tokens.Boot, jti, what, time.Now())
		res := raw(t, h, cloud, func(r *http.Request) {
			r.Method, r.URL.Path, r.ContentLength = "POST", "/v1/stream", -1
			r.Body = io.NopCloser(strings.NewReader("abc"))
			r.Header.Set("Authorization", "Bearer "+head)
			what.Body = tail
			sum, _ := token.Sign(cloud().Key, "cloudctl.karri", h.inner.tokens.Boot, jti, what, time.Now())
			r.Trailer = http.Header{digestHeader: {sum}}
		})
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

func TestALongPollEndsWithTheServer(t *testing.T) {
	root := newRoot(t)
	h := serve(t, root, credentials(t, root, clusterID), "127.0.0.1:0")
	c := NewClient(credentials(t, root, cloudID), clusterID, h.addr, nil)
	defer c.Close()
	got := make(chan error, 1)
	go func() {
		var s string
		err := c.Call(t.Context(), "GET", "/v1/wait", nil, nil, &s)
		if err == nil && s != "drained" {
			err = errors.New(s)
		}
		got <- err
	}()
	for !strings.Contains(scrape(h), `karri_http_requests_running{listener="internal"} 1`) {
		time.Sleep(time.Millisecond)
	}
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// scrape returns the numbers of h as /metrics does.
func scrape(h *harness) string {
	var b bytes.Buffer
	w := &fake{header: http.Header{}, w: &b}
	r, _ := http.NewRequest("GET", "/metrics", nil)
	NewAdmin(h.inner.metrics).ServeHTTP(w, r)
	return b.String()
}

type fake struct {
	header http.Header
	w      io.Writer
}

func (f *fake) Header() http.Header         { return f.header }
func (f *fake) WriteHeader(int)             {}
func (f *fake) Write(b []byte) (int, error) { return f.w.Write(b) }

func TestPlainListenersAreOnLoopbackOnly(t *testing.T) {
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Observer: Observer{Listener: "public", Log: slog.New(slog.DiscardHandler), Metrics: NewMetrics()}, Handler: http.NotFoundHandler()}
	if err := s.Serve(t.Context(), ln); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("got %v", err)
	}
}

func TestReadiness(t *testing.T) {
	a := NewAdmin(NewMetrics())
	a.Check("db", func(context.Context) error { return nil })
	get := func() (r Readiness, b bytes.Buffer) {
		req, _ := http.NewRequest("GET", "/readyz", nil)
		a.ServeHTTP(&fake{header: http.Header{}, w: &b}, req)
		_ = json.Unmarshal(b.Bytes(), &r)
		return r, b
	}
	if r, b := get(); !r.Ready || r.Checks["db"] != "ok" {
		t.Errorf("%s", b.String())
	}
	a.Check("peer", func(context.Context) error { return errors.New("away") })
	if r, b := get(); r.Ready || r.Checks["peer"] != "away" || r.Checks["db"] != "ok" {
		t.Errorf("%s", b.String())
	}
}
