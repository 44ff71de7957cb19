//go:build real

package daemon

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/nodectl/probe"
	"karri/shared/wire"
)

// TestAHaltedHostStartsItsInstancesAgain halts a host within one boot of the
// machine, as tools/down does, and starts it.
func TestAHaltedHostStartsItsInstancesAgain(t *testing.T) {
	b := newBench(t)
	b.serveImage(probe.BootSector("hello\r\n"), "raw")
	b.start()
	i := b.order("")
	b.tell(i, func(*wire.Instance) {})
	running := func() bool { return b.seen(i).State == wire.InstanceRunning }
	b.await("it runs", 60*time.Second, running)
	b.await("it speaks", 20*time.Second, func() bool { return strings.Count(b.console(i), "hello") == 1 })
	b.kill()
	halt := func(more ...string) {
		t.Helper()
		args := append([]string{"halt", "--state", filepath.Join(b.dir, "state"), "--cloud", cloud}, more...)
		if out, err := exec.Command(b.bin, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	halt()
	if g := b.lv.Guests(); len(g) != 0 {
		t.Errorf("guests left: %v", g)
	}
	if out, _ := exec.Command("ip", "netns", "list").Output(); strings.Contains(string(out), "k"+cloud+"-") {
		t.Errorf("routers left: %s", out)
	}
	b.start()
	b.await("it runs again", 60*time.Second, running)
	b.await("it speaks again", 20*time.Second, func() bool { return strings.Count(b.console(i), "hello") == 2 })
	b.kill()
	halt("--purge")
	if out, _ := exec.Command("sh", "-c", "ip netns list; ip -o link; cat /proc/*/mountinfo 2>/dev/null | grep "+b.dir).Output(); strings.Contains(string(out), "k"+cloud+"-") || strings.Contains(string(out), b.dir) {
		t.Errorf("left: %s", out)
	}
}
