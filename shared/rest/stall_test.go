package rest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"karri/shared/memnet"
)

// dialed serves h in a bubble and returns a connection to it.
func dialed(t *testing.T, h http.HandlerFunc) net.Conn {
	t.Helper()
	n := &memnet.Network{}
	ln, err := n.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, _, _ := publicOn(t, ln, h, nil)
	conn, err := n.From("127.0.0.1")(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestABodyThatStandsStillIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan error, 1)
		conn := dialed(t, func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			got <- err
		})
		go io.Copy(io.Discard, conn)
		start := time.Now()
		_, _ = io.WriteString(conn, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
		if err := <-got; err == nil || time.Since(start) != stall {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestASlowBodyThatMovesIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dialed(t, func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %v", b, err)
		})
		_, _ = io.WriteString(conn, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
		for i := range 10 {
			time.Sleep(stall / 2)
			fmt.Fprint(conn, i)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(res.Body); string(b) != "0123456789 <nil>" {
			t.Errorf("%s", b)
		}
	})
}

// The bound is for standing still: neither a slow answer nor a connection that
// rests between two requests is cut off by it.
func TestASlowAnswerAndARestingConnectionAreFine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dialed(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/empty":
				w.WriteHeader(http.StatusNoContent)
			case "/late":
				time.Sleep(3 * stall)
			}
		})
		in := bufio.NewReader(conn)
		for _, path := range []string{"/", "/empty", "/late", "/empty", "/"} {
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			time.Sleep(stall + stall/2)
		}
	})
}
