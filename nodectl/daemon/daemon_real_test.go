//go:build real

package daemon

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/shared/id"
	"karri/shared/wire"
)

func TestAnInstanceOnARealHost(t *testing.T) {
	b := newBench(t)
	b.guest()
	b.start()
	i := b.order(userData)
	b.tell(i, func(*wire.Instance) {})
	running := func() bool { return b.seen(i).State == wire.InstanceRunning }
	says := func(text string) func() bool { return func() bool { return strings.Contains(b.console(i), text) } }
	b.await("it runs", 60*time.Second, running)
	b.confined()
	b.await("it knows its address", 90*time.Second, says("address 172.31.0.10"))
	b.await("it knows its name", 30*time.Second, says("instance "+string(i)))
	b.await("it has booted", 60*time.Second, says("boot is done"))

	e := b.export()
	e.serve(1)
	b.tell(i, func(w *wire.Instance) { w.Volumes = map[id.Volume]wire.Attachment{vol: e.attachment(1)} })
	b.await("the volume is plugged", 30*time.Second, func() bool { return b.seen(i).Volumes[vol].Epoch == 1 })
	b.await("the guest has it", 30*time.Second, says("found vol0123456789abcdef0"))
	b.await("the guest writes", 30*time.Second, says("wrote 2"))

	// Both daemons die; the guest goes on and is found.
	guests := fmt.Sprint(b.lv.Guests())
	b.kill()
	b.must(exec.Command("kill", "-9", strings.TrimSpace(b.read(filepath.Join(b.lv.State, "run", "libvirtd.pid")))).Run())
	b.start()
	b.await("it is found again", 60*time.Second, running)
	if again := fmt.Sprint(b.lv.Guests()); again != guests || len(b.lv.Guests()) != 1 {
		t.Errorf("guests %s, then %s", guests, again)
	}
	if s := b.seen(i); s.Volumes[vol].Device != "/dev/sdf" {
		t.Errorf("%+v", s)
	}

	// The export dies under the guest's writes, and comes back.
	e.kill()
	wrote := strings.Count(b.console(i), "wrote")
	time.Sleep(4 * time.Second)
	e.serve(1)
	b.await("it writes again", 60*time.Second, func() bool { return strings.Count(b.console(i), "wrote") > wrote+2 })
	b.tell(i, func(w *wire.Instance) {
		w.Volumes = map[id.Volume]wire.Attachment{vol: {Want: wire.Detached, Epoch: 1}}
	})
	b.await("the volume is unplugged", 60*time.Second, func() bool { return len(b.seen(i).Volumes) == 0 })
	b.await("the guest knows", 10*time.Second, says("lost the volume"))

	b.tell(i, func(w *wire.Instance) { w.Reboots++ })
	b.await("it rebooted", 60*time.Second, func() bool { return b.seen(i).Reboots == 1 })
	b.await("it booted again", 90*time.Second, func() bool { return strings.Count(b.console(i), "boot is done") == 2 })
	b.tell(i, func(w *wire.Instance) { w.Want = wire.Stopped })
	b.await("it stopped", 60*time.Second, func() bool { return b.seen(i).State == wire.InstanceStopped })
	b.tell(i, func(w *wire.Instance) { w.Want, w.Launched = wire.Running, time.Now() })
	b.await("it started", 60*time.Second, running)
	b.await("its disk was kept", 90*time.Second, func() bool { return strings.Count(b.console(i), "boot is done") == 3 })
	b.tell(i, func(w *wire.Instance) { w.Want = wire.Gone })
	b.await("it is gone", 60*time.Second, func() bool { return b.seen(i).State == wire.InstanceGone })
	if !strings.Contains(b.console(i), "boot is done") {
		t.Error("its console is gone too")
	}
	b.nothingLeft(i)
}
