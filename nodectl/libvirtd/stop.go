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
	for _, pid := range c.Guests() {
		err = errors.Join(err, kill(ctx, pid, func() bool { return slices.Contains(c.Guests(), pid) }))
	}
	return errors.Join(err, c.end(ctx, "virtlogd"))
}

// Purge ends everything and removes the folder, and those empty folders that
// EnsureUp made for the host.
func (c Config) Purge(ctx context.Context) error {
	if err := c.StopAll(ctx); err != nil {
		return err
	}
	b, err := os.ReadFile(c.path("mountpoints"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for dir := range strings.FieldsSeq(string(b)) {
		_ = os.Remove(dir) // another cloud may use it by now; then it is not empty or busy
	}
	return os.RemoveAll(c.State)
}

// Guests lists the QEMU processes that were started by this libvirtd.
func (c Config) Guests() []int {
	files, _ := filepath.Glob(c.path("run", "qemu", "*.pid"))
	var pids []int
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil || pid <= 1 {
			continue
		}
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		name := strings.TrimSuffix(filepath.Base(f), ".pid")
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && strings.Contains(exe, "qemu-system") && strings.Contains(string(args), "guest="+name+",") {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (c Config) end(ctx context.Context, daemon string) error {
	abs, err := filepath.Abs(c.State)
	if err != nil {
		return err
	}
	c.State = abs
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
