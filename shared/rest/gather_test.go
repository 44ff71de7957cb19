package rest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
)

// sizer answers as many bytes as are asked for, in as many writes.
func sizer(w http.ResponseWriter, r *http.Request) {
	size, _ := strconv.Atoi(r.FormValue("size"))
	first, _ := strconv.Atoi(r.FormValue("first"))
	if r.FormValue("long") != "" {
		w.Header().Set("X-Long", string(bytes.Repeat([]byte("l"), 5000)))
	}
	if r.FormValue("length") != "" {
		w.Header().Set("Content-Length", strconv.Itoa(size))
	}
	if r.FormValue("status") != "" {
		w.WriteHeader(http.StatusNotModified)
	}
	b := bytes.Repeat([]byte("\r\n\r\n.."), size/6+1)[:size]
	_, _ = w.Write(b[:min(first, size)])
	if r.FormValue("flush") != "" {
		w.(http.Flusher).Flush()
	}
	_, _ = w.Write(b[min(first, size):])
}

// TestEachAnswerArrivesWhole asks for answers of all sizes about a buffer's, on
// connections that stay and that end.
func TestEachAnswerArrivesWhole(t *testing.T) {
	addr, _, _ := public(t, http.HandlerFunc(sizer), nil)
	for _, once := range []bool{false, true} {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: once, MaxConnsPerHost: 1}}
		for _, size := range []int{0, 1, 2047, 3800, 4000, 4095, 4096, 4097, 7000, 8191, 8192, 9000, 70_000} {
			for _, first := range []int{size, size / 2, 4096, 10} {
				for _, how := range []string{"", "&length=1", "&flush=1", "&length=1&flush=1", "&long=1", "&status=304"} {
					for _, method := range []string{"GET", "HEAD"} {
						url := fmt.Sprintf("http://%s/?size=%d&first=%d%s", addr, size, first, how)
						req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
						if err != nil {
							t.Fatal(err)
						}
						res, err := client.Do(req)
						if err != nil {
							t.Fatalf("%s %s: %v", method, url, err)
						}
						b, err := io.ReadAll(res.Body)
						_ = res.Body.Close()
						want := size
						if method == "HEAD" || res.StatusCode == http.StatusNotModified {
							want = 0
						}
						if err != nil || !bytes.Equal(b, bytes.Repeat([]byte("\r\n\r\n.."), want/6+1)[:want]) {
							t.Errorf("%s %s: %d bytes, %v", method, url, len(b), err)
						}
					}
				}
			}
		}
		client.CloseIdleConnections()
	}
}

// TestAWriteIsJoinedToTheNext looks at what is sent when.
func TestAWriteIsJoinedToTheNext(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, end := range []func(*gathering){
		func(c *gathering) {
			if n, err := c.Write([]byte("b")); n != 1 || err != nil {
				t.Error(n, err)
			}
		},
		(*gathering).settle,
		func(c *gathering) { _ = c.CloseWrite() },
		func(c *gathering) { _ = c.Close() },
	} {
		far, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		near, err := gatherers{ln}.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := gatheringOf(near)
		c.next.Store(true)
		if n, err := c.Write([]byte("a")); n != 1 || err != nil || c.held.Load() == nil {
			t.Error("the first write is not held back")
		}
		end(c)
		if c.held.Load() != nil {
			t.Error("it is still held back")
		}
		_ = c.Close()
		if b, err := io.ReadAll(far); err != nil || len(b) == 0 || b[0] != 'a' {
			t.Errorf("%q arrived, %v", b, err)
		}
		_ = far.Close()
	}
}
