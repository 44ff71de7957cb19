package rest

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// net/http sends the header of an answer and the beginning of its body as soon
// as they fill a buffer of this size, and what is left by itself: two calls to
// the system, and two times that the client wakes up.
const flushed = 4 << 10

// gathered is the size from which on an answer takes several writes anyway.
const gathered = 64 << 10

// A gathering connection joins the first of these to the second. It holds back
// one write, and only while net/http has more to send: until then the end of
// the request, or of the connection, at the latest.
type gathering struct {
	*net.TCPConn
	next atomic.Bool // the next write is to be held back
	held atomic.Pointer[[]byte]
}

var heldBack = sync.Pool{New: func() any { b := make([]byte, 0, flushed); return &b }}

// Write is net.Conn's.
func (c *gathering) Write(p []byte) (int, error) {
	if held := c.held.Swap(nil); held != nil {
		defer heldBack.Put(held)
		both := net.Buffers{*held, p}
		n, err := both.WriteTo(c.TCPConn)
		return max(0, int(n)-len(*held)), err
	}
	if c.next.Swap(false) && len(p) <= flushed {
		b := heldBack.Get().(*[]byte)
		*b = append((*b)[:0], p...)
		c.held.Store(b)
		return len(p), nil
	}
	return c.TCPConn.Write(p)
}

// settle sends what is held back.
func (c *gathering) settle() {
	c.next.Store(false)
	if held := c.held.Swap(nil); held != nil {
		_, _ = c.TCPConn.Write(*held) // the connection is dead then, as its next read will say
		heldBack.Put(held)
	}
}

// Close is net.Conn's.
func (c *gathering) Close() error {
	c.settle()
	return c.TCPConn.Close()
}

// CloseWrite ends what is sent.
func (c *gathering) CloseWrite() error {
	c.settle()
	return c.TCPConn.CloseWrite()
}

// gatherers accepts gathering connections.
type gatherers struct{ net.Listener }

// Accept is net.Listener's.
func (l gatherers) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if t, ok := c.(*net.TCPConn); ok {
		return &gathering{TCPConn: t}, err
	}
	return c, err
}

type gatheringKey struct{}

func gatheringOf(c net.Conn) *gathering {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	g, _ := c.(*gathering)
	return g
}

// gather makes the server's connections gather.
func gather(srv *http.Server) {
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, gatheringKey{}, gatheringOf(c))
	}
	srv.ConnState = func(c net.Conn, s http.ConnState) {
		if g := gatheringOf(c); g != nil && s == http.StateIdle {
			g.settle()
		}
	}
}
