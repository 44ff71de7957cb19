package metadata

import (
	"context"
	"errors"
	"net"
	"sync"

	"golang.org/x/sys/unix"
)

const maxConns = 256 // that the guests of one VPC may hold at once

type connKey struct{}

// limited is a listener that lets no more than maxConns connections stand. Its
// connections know their socket.
type limited struct {
	net.Listener
	free chan struct{}
	done chan struct{}
	once sync.Once
}

func newLimited(l net.Listener) *limited {
	return &limited{Listener: l, free: make(chan struct{}, maxConns), done: make(chan struct{})}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &counted{Conn: c, end: sync.OnceFunc(func() { <-l.free })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type counted struct {
	net.Conn
	end func()
}

func (c *counted) Close() error {
	defer c.end()
	return c.Conn.Close()
}

// limitHops sets how far the packets of the request's connection travel from
// now on. A connection that is not of TCP has no hops.
func limitHops(ctx context.Context, hops int) error {
	c, _ := ctx.Value(connKey{}).(*counted)
	if c == nil {
		return nil
	}
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	var serr error
	err = raw.Control(func(fd uintptr) {
		serr = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, min(max(hops, 1), 64))
	})
	return errors.Join(err, serr)
}
