package hypervisor

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"karri/shared/fault"

	libvirt "github.com/digitalocean/go-libvirt"
)

// away is the fault of every call while libvirtd does not answer.
var away = fault.New(fault.Later, "HypervisorUnavailable", "The hypervisor of the host does not answer.")

// A conn is one connection to libvirtd, dialled when it is needed and again
// after it broke.
type conn struct {
	socket string
	limit  time.Duration // of dialling

	mu    sync.Mutex
	l     *libvirt.Libvirt
	wire  net.Conn
	calls sync.WaitGroup // those whose caller has gone
}

func (c *conn) get() (*libvirt.Libvirt, net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.l != nil && c.l.IsConnected() {
		return c.l, c.wire, nil
	}
	c.l, c.wire = nil, nil
	wire, err := net.DialTimeout("unix", c.socket, c.limit)
	if err != nil {
		return nil, nil, away.Because(err)
	}
	hung := time.AfterFunc(c.limit, func() { wire.Close() })
	defer hung.Stop()
	l := libvirt.NewWithDialer(already{wire})
	if err := l.ConnectToURI(libvirt.QEMUSystem); err != nil {
		wire.Close()
		return nil, nil, away.Because(err)
	}
	c.l, c.wire = l, wire
	return l, wire, nil
}

// already is the library's dialer of a wire that we dialled, so that we can cut
// it ourselves.
type already struct{ net.Conn }

func (a already) Dial() (net.Conn, error) { return a.Conn, nil }

// do calls f with a living connection. When f takes longer than limit the
// wire is cut, which ends f; when ctx ends first, f is left to end by itself
// within its limit.
func (c *conn) do(ctx context.Context, limit time.Duration, f func(*libvirt.Libvirt) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l, wire, err := c.get()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	late := time.AfterFunc(limit, func() { wire.Close() })
	c.calls.Go(func() {
		err := f(l)
		if !late.Stop() {
			err = context.DeadlineExceeded
		}
		done <- err
	})
	select {
	case err = <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err == nil {
		return nil
	}
	if _, theirs := errors.AsType[libvirt.Error](err); theirs {
		return err
	}
	if _, ours := errors.AsType[*fault.Fault](err); ours {
		return err
	}
	wire.Close() // whatever else it was, the stream of packets may be out of step
	return away.Because(err)
}

func (c *conn) close() {
	c.mu.Lock()
	if c.wire != nil {
		c.wire.Close()
	}
	c.mu.Unlock()
	c.calls.Wait()
}
