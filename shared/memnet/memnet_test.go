package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func serve(t *testing.T, n *Network, addr string) string {
	t.Helper()
	ln, err := n.Listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RemoteAddr)
	})}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	return ln.Addr().String()
}

func get(t *testing.T, n *Network, from, addr string) (string, error) {
	t.Helper()
	tr := &http.Transport{DialContext: n.From(from)}
	defer tr.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+addr, nil)
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func TestHostsReachEachOtherUnlessCutOrCrashed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Network
		addr := serve(t, &n, "10.0.0.1:0")
		if got, err := get(t, &n, "10.0.0.2", addr); err != nil || got != "10.0.0.2:1" {
			t.Errorf("%q %v", got, err)
		}
		if _, err := get(t, &n, "10.0.0.2", "10.0.0.1:9"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v", err)
		}
		n.Cut("10.0.0.1", "10.0.0.2")
		start := time.Now()
		if _, err := get(t, &n, "10.0.0.2", addr); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("cut: %v after %s", err, time.Since(start))
		}
		if _, err := get(t, &n, "10.0.0.3", addr); err != nil {
			t.Errorf("another host: %v", err)
		}
		n.Mend("10.0.0.2", "10.0.0.1")
		if _, err := get(t, &n, "10.0.0.2", addr); err != nil {
			t.Errorf("mended: %v", err)
		}
		n.Crash("10.0.0.1")
		if _, err := get(t, &n, "10.0.0.2", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("crashed: %v", err)
		}
		if ln, err := n.Listen(t.Context(), addr); err != nil {
			t.Errorf("started again: %v", err)
		} else if _, err := n.Listen(t.Context(), addr); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("two listeners: %v", err)
			ln.Close()
		}
	})
}

func TestAConnectionThatIsCutEnds(t *testing.T) {
	var n Network
	ln, err := n.Listen(t.Context(), "a:1")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan net.Conn, 1)
	go func() {
		c, _ := ln.Accept()
		got <- c
	}()
	near, err := n.From("b")(t.Context(), "tcp", "a:1")
	if err != nil {
		t.Fatal(err)
	}
	far := <-got
	n.Cut("a", "b")
	for _, c := range []net.Conn{near, far} {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("it still stands")
		}
	}
}
