// Package link is the door to the kernel's networking: namespaces, interfaces,
// addresses, routes, neighbours and tracked connections.
//
// A Space is a network namespace; everything is done to a Space, and nothing
// depends on the namespace that the calling thread happens to be in. Namespaces
// have names under /run/netns, as the ip command makes them, so that they
// outlive the process and are found again by it. Every call that makes or sets
// something may be repeated: what is there already as wished is left alone.
// Nothing is remembered here; the kernel is the truth, so a crash loses nothing.
//
// A thread that has been moved to another namespace is moved back before it is
// given back to the scheduler, or dies if that fails; none is leaked.
package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// ErrMissing is returned for a namespace or an interface that is not there.
var ErrMissing = errors.New("not there")

const spaces = "/run/netns"

// A Space is one network namespace. Its methods may be called from several
// goroutines.
type Space struct {
	name string
	fd   netns.NsHandle
	h    *netlink.Handle
}

// Here returns the namespace that the process runs in.
func Here() (*Space, error) {
	fd, err := netns.GetFromPath("/proc/self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("open own namespace: %w", err)
	}
	return open("", fd)
}

// Open returns the namespace called name, or ErrMissing.
func Open(name string) (*Space, error) {
	fd, err := netns.GetFromPath(filepath.Join(spaces, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("namespace %s: %w", name, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("open namespace %s: %w", name, err)
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(fd), &fs); err != nil || fs.Type != unix.NSFS_MAGIC {
		fd.Close() // a file that nothing is mounted on: its making was cut short
		return nil, fmt.Errorf("namespace %s: %w", name, ErrMissing)
	}
	return open(name, fd)
}

func open(name string, fd netns.NsHandle) (*Space, error) {
	h, err := netlink.NewHandleAt(fd, unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER)
	if err != nil {
		fd.Close()
		return nil, fmt.Errorf("speak to namespace %q: %w", name, err)
	}
	return &Space{name: name, fd: fd, h: h}, nil
}

// Make returns the namespace called name and makes it if it is not there.
func Make(name string) (*Space, error) {
	s, err := Open(name)
	if !errors.Is(err, ErrMissing) {
		return s, err
	}
	if err := os.Remove(filepath.Join(spaces, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("clear remains of namespace %s: %w", name, err)
	}
	if err := prepare(); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", spaces, err)
	}
	err = onThread(func() error {
		fd, err := netns.NewNamed(name)
		if err == nil {
			fd.Close()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make namespace %s: %w", name, err)
	}
	return Open(name)
}

// prepare makes the folder of the names a shared mount of its own, as the ip
// command does on its first use. Were it left to that command, its mount would
// cover the names made here, and they could not be removed any more.
func prepare() error {
	if err := os.MkdirAll(spaces, 0o755); err != nil {
		return err
	}
	dir, err := os.Open(spaces)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	err = unix.Mount("", spaces, "none", unix.MS_SHARED|unix.MS_REC, "")
	if err == unix.EINVAL { // not a mount yet
		if err = unix.Mount(spaces, spaces, "none", unix.MS_BIND|unix.MS_REC, ""); err == nil {
			err = unix.Mount("", spaces, "none", unix.MS_SHARED|unix.MS_REC, "")
		}
	}
	return err
}

// Remove ends the namespace called name with all that is in it. Interfaces go
// first, one by one, because another mount namespace may hold the namespace
// alive and with it a VXLAN's port.
func Remove(name string) error {
	s, err := Open(name)
	switch {
	case err == nil:
		err = s.clear()
		s.Close()
		if err != nil {
			return fmt.Errorf("clear namespace %s: %w", name, err)
		}
	case !errors.Is(err, ErrMissing):
		return err
	}
	p := filepath.Join(spaces, name)
	if err := unix.Unmount(p, unix.MNT_DETACH); err != nil && err != unix.EINVAL && err != unix.ENOENT {
		return fmt.Errorf("unmount namespace %s: %w", name, err)
	}
	if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove namespace %s: %w", name, err)
	}
	return nil
}

func (s *Space) clear() error {
	links, err := s.Links()
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.Kind == "veth" || l.Kind == "vxlan" {
			if err := s.Delete(l.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Names lists the named namespaces that begin with prefix, in order.
func Names(prefix string) ([]string, error) {
	entries, err := os.ReadDir(spaces)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// Close lets go of the namespace, which goes on as it is.
func (s *Space) Close() {
	s.h.Close()
	s.fd.Close()
}

// whole asks again when a list was changed while the kernel told it.
func whole[T any](list func() ([]T, error)) (found []T, err error) {
	for range 8 {
		if found, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return found, err
}

// Name returns what the namespace is called; the host's own has no name.
func (s *Space) Name() string { return s.name }

// Do runs fn on a thread that is in the namespace. Sockets that fn opens and
// processes that it starts are of the namespace for good; goroutines that it
// starts are not.
func (s *Space) Do(fn func() error) error {
	return onThread(func() error {
		if err := netns.Set(s.fd); err != nil {
			return fmt.Errorf("enter namespace %q: %w", s.name, err)
		}
		return fn()
	})
}

// onThread runs fn on a locked thread and puts the thread back into the
// namespace that it came from. Where that fails the thread stays locked, so
// that it ends with its goroutine.
func onThread(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		origin, err := netns.Get()
		if err != nil {
			done <- fmt.Errorf("open the thread's namespace: %w", err)
			return
		}
		defer origin.Close()
		err = fn()
		if netns.Set(origin) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// Listen opens a listener inside the namespace.
func (s *Space) Listen(ctx context.Context, network, address string) (l net.Listener, err error) {
	err = s.Do(func() error {
		l, err = (&net.ListenConfig{}).Listen(ctx, network, address)
		return err
	})
	return l, err
}

// ListenUDP opens a datagram socket inside the namespace, allowed to broadcast.
func (s *Space) ListenUDP(ctx context.Context, address string) (*net.UDPConn, error) {
	var c net.PacketConn
	err := s.Do(func() (err error) {
		c, err = (&net.ListenConfig{}).ListenPacket(ctx, "udp4", address)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// Setting reads a kernel setting of the namespace, such as
// "net.ipv4.ip_forward". An interface's name may hold no dot.
func (s *Space) Setting(key string) (value string, err error) {
	err = s.Do(func() error {
		b, err := os.ReadFile(settingPath(key))
		value = strings.TrimSpace(string(b))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	return value, nil
}

// Set brings kernel settings of the namespace to the given values, and writes
// only those that differ. A kernel without IPv6 needs none of its settings.
func (s *Space) Set(settings map[string]string) error {
	return s.Do(func() error {
		for key, want := range settings {
			p := settingPath(key)
			if b, err := os.ReadFile(p); err == nil && strings.TrimSpace(string(b)) == want {
				continue
			} else if errors.Is(err, os.ErrNotExist) && strings.HasPrefix(key, "net.ipv6.") {
				continue
			}
			if err := os.WriteFile(p, []byte(want), 0); err != nil {
				return fmt.Errorf("set %s: %w", key, err)
			}
		}
		return nil
	})
}

func settingPath(key string) string {
	return filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/"))
}
