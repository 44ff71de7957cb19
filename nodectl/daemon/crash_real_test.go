//go:build real

package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/nodectl/network"
	"karri/nodectl/probe"
	"karri/shared/crash/crashtest"
	"karri/shared/id"
	"karri/shared/wire"
)

// unreached are the points that this history does not pass: the guest hears
// its power button, the book stays small, and the host is alone.
var unreached = []string{"instance.reset", "book.snapshot-written", "network.overlay-made", "network.overlay-moved"}

// TestTheBinaryCrashesAtEveryPoint takes an instance through its life once for
// each named point, at which the process ends as if by kill -9.
func TestTheBinaryCrashesAtEveryPoint(t *testing.T) {
	b := newBench(t)
	crashed := 0
	for n, name := range crashtest.Points(t, "..", "../../shared/wire") {
		greeting := fmt.Sprintf("boot %d.\r\n", n)
		b.serveImage(probe.BootSector(greeting), "raw") // each time another, to be fetched
		b.kill()
		b.must(network.Purge(t.Context(), cloud)) // for its points to be passed each time
		b.run("KARRI_CRASH_AT=" + name)
		i := b.order("")
		ended := b.life(i, greeting)
		b.nothingLeft(i)
		if ended {
			crashed++
		} else if !slices.Contains(unreached, name) {
			t.Errorf("%s was never reached", name)
		}
		if t.Failed() {
			t.Fatalf("after a crash at %s", name)
		}
	}
	t.Logf("crashed at %d points", crashed)
}

// life leads an instance through all wishes and tells whether nodectl ended. A
// guest hears its power button only once it has said its greeting, so that is
// waited for.
func (b *bench) life(i id.Instance, greeting string) bool {
	b.t.Helper()
	boots := 0
	booted := func() bool {
		text, _ := os.ReadFile(filepath.Join(b.dir, "state", "instances", string(i), "console.log"))
		return strings.Count(string(text), greeting) >= boots
	}
	state := func(s wire.InstanceState) func(wire.InstanceSeen) bool {
		return func(seen wire.InstanceSeen) bool { return seen.State == s }
	}
	ended := false
	for _, w := range []struct {
		change func(*wire.Instance)
		until  func(wire.InstanceSeen) bool
		boots  int // so far
	}{
		{func(*wire.Instance) {}, state(wire.InstanceRunning), 1},
		{func(w *wire.Instance) { w.Reboots++ }, func(s wire.InstanceSeen) bool { return s.Reboots == 1 }, 2},
		{func(w *wire.Instance) { w.Want = wire.Stopped }, state(wire.InstanceStopped), 0},
		{func(w *wire.Instance) { w.Want, w.Launched = wire.Running, time.Now() }, state(wire.InstanceRunning), 3},
		{func(w *wire.Instance) { w.Want = wire.Gone }, state(wire.InstanceGone), 0},
	} {
		o := b.orders.Instances[i]
		w.change(&o)
		b.orders.Instances[i] = o
		b.gen++
		boots = w.boots
		ended = b.insist(i, func(s wire.InstanceSeen) bool { return w.until(s) && booted() }) || ended
	}
	return ended
}

// insist tells the orders until the report is as wanted, and starts nodectl
// again where it ended.
func (b *bench) insist(i id.Instance, until func(wire.InstanceSeen) bool) (ended bool) {
	b.t.Helper()
	for began := time.Now(); time.Since(began) < 90*time.Second; time.Sleep(50 * time.Millisecond) {
		select {
		case <-b.dead:
			ended = true
			b.run()
		default:
		}
		if b.peer.Tell(b.t.Context(), b.gen, b.orders) == nil && until(b.seen(i)) {
			return ended
		}
	}
	b.t.Fatalf("%s never came to %+v", i, b.orders.Instances[i].Want)
	return ended
}
