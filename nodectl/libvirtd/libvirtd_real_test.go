//go:build real

package libvirtd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// short returns a folder whose path leaves room for a socket's name.
func short(t *testing.T) string {
	dir, err := os.MkdirTemp("/tmp", "klv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestItIsKilledAndComesBackBesideTheSameVirtlogd(t *testing.T) {
	c := Config{State: short(t)}
	t.Cleanup(func() {
		if err := c.Purge(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := EnsureUp(ctx, c); err != nil {
		out, _ := os.ReadFile(c.path("libvirtd.out"))
		t.Fatalf("%v\n%s", err, out)
	}
	first, _ := c.pid("libvirtd")
	logd, up := c.pid("virtlogd")
	if !up {
		t.Fatal("virtlogd does not run")
	}
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for {
		if _, up := c.pid("libvirtd"); !up {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := EnsureUp(ctx, c); err != nil {
		t.Fatal(err)
	}
	second, up := c.pid("libvirtd")
	if again, _ := c.pid("virtlogd"); !up || second == first || again != logd {
		t.Errorf("libvirtd %d then %d, virtlogd %d then %d", first, second, logd, again)
	}
	if out, err := exec.Command("virsh", "-c", "qemu+unix:///system?socket="+Socket(c.State), "version").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestTheEndOfOneCloudLeavesTheOthersMounts(t *testing.T) {
	a, b := Config{State: short(t)}, Config{State: short(t)}
	t.Cleanup(func() {
		if err := errors.Join(a.Purge(context.Background()), b.Purge(context.Background())); err != nil {
			t.Error(err)
		}
	})
	for _, c := range []Config{a, b} {
		if err := EnsureUp(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid, up := b.pid("libvirtd")
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil || !up {
		t.Fatal(err, up)
	}
	for _, p := range places {
		if !strings.Contains(string(mounts), b.path(p[1])+" "+p[0]+" ") {
			t.Errorf("the mount on %s is lost", p[0])
		}
	}
}
