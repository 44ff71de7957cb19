// Package memnet is a network in memory: a cloud in one process listens and
// dials on it by addresses as on a real one. Nothing on it waits for the
// kernel, so that in a synctest bubble time passes only when all wait for it.
//
// Cut parts hosts from each other and Crash ends all that one has, as when its
// power fails; both are for tests of what remains.
package memnet

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// Network holds the listeners and connections. The zero Network is ready.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	port      int
	conns     map[*conn]struct{}
	cut       map[[2]string]bool
}

// Listen opens a listener at host:port; port 0 is a free one.
func (n *Network) Listen(_ context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners, n.conns = map[string]*listener{}, map[*conn]struct{}{}
	}
	for port == "0" {
		n.port++
		if p := strconv.Itoa(20000 + n.port); n.listeners[net.JoinHostPort(host, p)] == nil {
			port = p
		}
	}
	l := &listener{net: n, addr: address(net.JoinHostPort(host, port)), queue: make(chan net.Conn), done: make(chan struct{})}
	if n.listeners[string(l.addr)] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: l.addr, Err: syscall.EADDRINUSE}
	}
	n.listeners[string(l.addr)] = l
	return l, nil
}

// From returns the dialer of a host.
func (n *Network) From(host string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, _, addr string) (net.Conn, error) {
		to, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		n.mu.Lock()
		l, cut := n.listeners[addr], n.cut[pair(host, to)]
		n.mu.Unlock()
		refused := &net.OpError{Op: "dial", Net: "tcp", Addr: address(addr), Err: syscall.ECONNREFUSED}
		if l == nil {
			return nil, refused
		}
		if cut {
			<-ctx.Done() // nobody answers
			return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: address(addr), Err: ctx.Err()}
		}
		near, far := n.connect(host, to, l.addr)
		select {
		case l.queue <- far:
			return near, nil
		case <-l.done:
			return nil, refused
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (n *Network) connect(from, to string, at address) (near, far net.Conn) {
	a, b := net.Pipe()
	local := address(net.JoinHostPort(from, "1"))
	x, y := &conn{a, n, [2]string{from, to}, local, at}, &conn{b, n, [2]string{from, to}, at, local}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[x], n.conns[y] = struct{}{}, struct{}{}
	return x, y
}

// Cut ends what two hosts have with each other and lets nothing through until
// Mend.
func (n *Network) Cut(a, b string) {
	n.mu.Lock()
	if n.cut == nil {
		n.cut = map[[2]string]bool{}
	}
	n.cut[pair(a, b)] = true
	n.mu.Unlock()
	n.end(func(c *conn) bool { return pair(c.hosts[0], c.hosts[1]) == pair(a, b) })
}

// Mend undoes Cut.
func (n *Network) Mend(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.cut, pair(a, b))
}

// Crash ends every listener and connection of a host.
func (n *Network) Crash(host string) {
	n.mu.Lock()
	var ls []*listener
	for addr, l := range n.listeners {
		if h, _, _ := net.SplitHostPort(addr); h == host {
			ls = append(ls, l)
		}
	}
	n.mu.Unlock()
	for _, l := range ls {
		_ = l.Close()
	}
	n.end(func(c *conn) bool { return c.hosts[0] == host || c.hosts[1] == host })
}

func (n *Network) end(which func(*conn) bool) {
	n.mu.Lock()
	var cs []*conn
	for c := range n.conns {
		if which(c) {
			cs = append(cs, c)
		}
	}
	n.mu.Unlock()
	for _, c := range cs {
		_ = c.Close()
	}
}

func pair(a, b string) [2]string {
	if a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

type conn struct {
	net.Conn
	net           *Network
	hosts         [2]string
	local, remote address
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) Close() error {
	c.net.mu.Lock()
	delete(c.net.conns, c)
	c.net.mu.Unlock()
	return c.Conn.Close()
}

type listener struct {
	net   *Network
	addr  address
	queue chan net.Conn
	once  sync.Once
	done  chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, fmt.Errorf("accept on %s: %w", l.addr, net.ErrClosed)
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.net.mu.Lock()
		delete(l.net.listeners, string(l.addr))
		l.net.mu.Unlock()
	})
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.addr }
