package walrustest

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"karri/shared/bucket"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/sign"
	"karri/walrus/daemon"
)

// Walrus is a walrus that runs.
type Walrus struct {
	Cloud    *Cloud
	Endpoint string // of S3, http://127.0.0.1:port
	Host     string // host:port of it
	Internal string // host:port of the internal API
	State    string
	Stop     func() // ends it; the state stays

	admin http.Handler
}

// Start runs a walrus until the test ends. With a state folder of an earlier
// one it goes on with that.
func Start(t testing.TB, cloud *Cloud, conf daemon.Config) *Walrus {
	t.Helper()
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if conf.State == "" {
		conf.State = t.TempDir()
	}
	conf.Listen, conf.Admin, conf.Join, conf.Public = "127.0.0.1:0", "127.0.0.1:0", cloud.JoinToken(), "public"
	if conf.Region == "" {
		conf.Region = "us-east-1"
	}
	if conf.KeyRefresh == 0 {
		conf.KeyRefresh, conf.KeyStale = 30*time.Second, time.Hour
	}
	s, err := service.New(t.Context(), conf.Spec(), service.Env{Listen: func(ctx context.Context, addr string) (net.Listener, error) {
		if addr == "public" {
			return public, nil
		}
		return (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	}}, conf.Flags)
	if err != nil {
		t.Fatal(err)
	}
	host := public.Addr().String()
	return &Walrus{Cloud: cloud, Endpoint: "http://" + host, Host: host, Internal: s.Addr, State: conf.State, Stop: run(t, s), admin: s.Admin}
}

// As returns a client of the internal API that speaks as a component.
func (w *Walrus) As(t testing.TB, id pki.Identity) *bucket.Client {
	t.Helper()
	var creds *pki.Credentials
	if id.Role == pki.Cloudctl {
		creds = w.Cloud.Service.Self()
	} else {
		spec := service.Spec{Identity: func() pki.Identity { return id }}
		s, err := service.New(t.Context(), spec, service.Env{}, service.Flags{State: t.TempDir(), Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Join: w.Cloud.JoinToken()})
		if err != nil {
			t.Fatal(err)
		}
		creds = s.Self()
	}
	c := rest.NewClient(func() *pki.Credentials { return creds }, pki.Identity{Role: pki.Walrus}, w.Internal, nil)
	t.Cleanup(c.Close)
	return bucket.New(c)
}

// Metrics returns the numbers that walrus shows the administrator.
func (w *Walrus) Metrics(t testing.TB) string {
	t.Helper()
	rec := httptest.NewRecorder()
	w.admin.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return rec.Body.String()
}

// An Answer is what S3 said.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Code returns the code of an error in XML, or "".
func (a Answer) Code() string { return a.Element("Code") }

// Element returns the text of the first element with a name, or "".
func (a Answer) Element(name string) string {
	_, rest, _ := strings.Cut(a.Body, "<"+name+">")
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return text
}

// Do sends a signed request; path has the query too. Headers are given as
// "Name: value".
func (w *Walrus) Do(t testing.TB, u User, method, path, body string, headers ...string) Answer {
	t.Helper()
	a, err := w.Try(t, u, method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Try is Do for a walrus that may die meanwhile.
func (w *Walrus) Try(t testing.TB, u User, method, path, body string, headers ...string) (Answer, error) {
	t.Helper()
	r := w.Request(t, method, path, body, headers...)
	w.Sign(t, u, r)
	return send(r)
}

// Sign signs a request by its headers.
func (w *Walrus) Sign(t testing.TB, u User, r *http.Request) {
	t.Helper()
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if err := sign.Request(r, sign.Credentials{AccessKey: u.AccessKey, Secret: u.Secret, Token: r.Header.Get("X-Amz-Security-Token")}, sign.Scope{Region: "us-east-1", Service: "s3", At: time.Now()}, payload); err != nil {
		t.Fatal(err)
	}
}

// Request makes a request that is not signed.
func (w *Walrus) Request(t testing.TB, method, path, body string, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, w.Endpoint+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	return r
}

// Send sends a request as it is.
func (w *Walrus) Send(t testing.TB, r *http.Request) Answer {
	t.Helper()
	a, err := send(r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func send(r *http.Request) (Answer, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return Answer{res.StatusCode, res.Header, string(b)}, err
}
