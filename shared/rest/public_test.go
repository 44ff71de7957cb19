package rest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// public serves h on a plain listener and returns its address.
func public(t *testing.T, h http.Handler, answer func(http.ResponseWriter, *http.Request, error)) (string, *logs, *Metrics) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return publicOn(t, ln, h, answer)
}

func publicOn(t *testing.T, ln net.Listener, h http.Handler, answer func(http.ResponseWriter, *http.Request, error)) (string, *logs, *Metrics) {
	t.Helper()
	l, m := &logs{}, NewMetrics()
	s := &Server{Observer: Observer{Listener: "public", Log: NewLog(l, slog.LevelDebug), Metrics: m, Fault: answer}, Handler: h}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String(), l, m
}

func get(t *testing.T, url string, h http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestAPublicRequestGetsAnIdOfItsOwn(t *testing.T) {
	addr, l, m := public(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Label(r.Context(), "ec2:DescribeRegions")
		Note(r.Context(), "account", "000000000001")
		fmt.Fprint(w, RequestID(r.Context()))
	}), nil)
	_, id := get(t, "http://"+addr+"/a%2Fb?x=secret", http.Header{RequestIDHeader: {"chosen-by-the-user"}})
	if len(id) != 36 {
		t.Errorf("the id is %q", id)
	}
	h := &harness{inner: &Internal{metrics: m}}
	want := []string{`"request_id":"` + id, `"route":"ec2:DescribeRegions"`, `"account":"000000000001"`, `"path":"/a%2Fb"`, `"status":200`}
	for range 1000 { // the line is written behind the answer
		if strings.Contains(l.String(), want[0]) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for _, s := range want {
		if !strings.Contains(l.String(), s) {
			t.Errorf("the log lacks %s:\n%s", s, l)
		}
	}
	if strings.Contains(l.String(), "secret") {
		t.Error("a query, which may be a signature, is in the log")
	}
	if s := `karri_http_requests_total{listener="public",method="GET",route="ec2:DescribeRegions",status="200"} 1`; !strings.Contains(scrape(h), s) {
		t.Errorf("the metrics lack %s", s)
	}
}

func TestAPanicIsAnsweredInTheFormOfTheAPI(t *testing.T) {
	addr, l, _ := public(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half")
		}
		panic("boom")
	}), func(w http.ResponseWriter, _ *http.Request, err error) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "<Error>", err != nil)
	})
	if res, b := get(t, "http://"+addr+"/", nil); res.StatusCode != 500 || b != "<Error>true" {
		t.Errorf("%d %s", res.StatusCode, b)
	}
	if !strings.Contains(l.String(), "boom") {
		t.Errorf("the panic is not in the log: %s", l)
	}
	res, err := http.Get("http://" + addr + "/half")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("half an answer looks whole")
	}
}

func TestAFileIsServedWholeAndInParts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	content := strings.Repeat("0123456789", 3<<17) // more than one piece
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	addr, _, _ := public(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) }), nil)
	if _, b := get(t, "http://"+addr+"/", nil); b != content {
		t.Errorf("%d bytes", len(b))
	}
	if res, b := get(t, "http://"+addr+"/", http.Header{"Range": {"bytes=5-1500004"}}); res.StatusCode != 206 || b != content[5:1500005] {
		t.Errorf("%d, %d bytes", res.StatusCode, len(b))
	}
}

func TestWhatIsNoHTTPIsRefused(t *testing.T) {
	addr, _, _ := public(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %q", r.Method, b)
	}), nil)
	for name, c := range map[string]struct{ text, status string }{
		"control":           {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", "200"},
		"two lengths":       {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400"},
		"length and chunks": {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
		"signed length":     {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", "400"},
		"space before :":    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", "400"},
		"two hosts":         {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
		"no host":           {"GET / HTTP/1.1\r\n\r\n", "400"},
		"large header":      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", "431"},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, c.text)
		line, _ := bufio.NewReader(conn).ReadString('\n')
		conn.Close()
		if !strings.HasPrefix(line, "HTTP/1.1 "+c.status) {
			t.Errorf("%s: %q, want %s", name, line, c.status)
		}
	}
}
