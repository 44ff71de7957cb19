package libvirtd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Stop ends libvirtd and leaves guests and their consoles alone.
func (c Config) Stop(ctx context.Context) error {
	return c.end(ctx, "libvirtd")
}

// StopAll ends libvirtd, then every guest, as if by a power cut, then virtlogd.
func (c Config) StopAll(ctx context.Context) error {
	err := c.end(ctx, "libvirtd")
	for _, pid := range c.qemus() {
		err = errors.Join(err, kill(ctx, pid, func() bool { return slices.Contains(c.qemus(), pid) }))
	}
	return errors.Join(err, c.end(ctx, "virtlogd"))
}

// Purge ends everything and removes the folder, and those empty folders that
// EnsureUp made for the host.
func (c Config) Purge(ctx context.Context) error {
	if err := c.StopAll(ctx); err != nil {
		return err
	}
	if err := removeMountPoints(ctx); err != nil {
		return err
	}
	return os.RemoveAll(c.State)
}

// removeMountPoints removes those folders of libvirt that were made for a cloud.
// Where another cloud has something mounted on one they stay, for it to
// remove: to remove a folder would end its mount in every namespace.
func removeMountPoints(ctx context.Context) error {
	unlock, err := lockHost(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	used, err := mounted()
	if err != nil || used {
		return err
	}
	for _, p := range places {
		if os.Remove(filepath.Join(p[0], marker)) == nil {
			_ = os.Remove(p[0]) // what is not empty is somebody's
		}
	}
	return nil
}

// mounted reports whether any process sees something mounted on a folder of
// libvirt.
func mounted() (bool, error) {
	files, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	if err != nil {
		return false, err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		for _, p := range places {
			if strings.Contains(string(b), " "+p[0]+" ") {
				return true, nil
			}
		}
	}
	return false, nil
}

// lockHost waits for its turn among all clouds of this machine to make, mount
// on or remove the host's folders.
func lockHost(ctx context.Context) (unlock func(), err error) {
	f, err := os.Open("/run")
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Guests lists the QEMU processes that were started by this libvirtd and run a
// machine.
func (c Config) Guests() []int {
	return slices.DeleteFunc(c.qemus(), func(pid int) bool {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return !strings.Contains(string(args), "\x00guest=")
	})
}

// qemus lists every QEMU of ours: guests, and what libvirtd started to ask what
// QEMU can do.
func (c Config) qemus() []int {
	c.State = c.absolute()
	files, _ := filepath.Glob("/proc/[0-9]*/comm")
	var pids []int
	for _, f := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err == nil && c.ours(pid, "qemu-system-x86") {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (c Config) absolute() string {
	if abs, err := filepath.Abs(c.State); err == nil {
		return abs
	}
	return c.State
}

func (c Config) end(ctx context.Context, daemon string) error {
	c.State = c.absolute()
	pid, up := c.pid(daemon)
	if !up {
		return nil
	}
	return kill(ctx, pid, func() bool { return c.ours(pid, daemon) })
}

// kill asks process pid to end, and makes it end after ten seconds. alive says
// whether the number still means the process that was meant.
func kill(ctx context.Context, pid int, alive func() bool) error {
	for n := 0; alive(); n++ {
		sig := syscall.SIGTERM
		if n > 100 {
			sig = syscall.SIGKILL
		}
		if n%100 == 0 || sig == syscall.SIGKILL {
			if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("end process %d: %w", pid, err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}
