//go:build real

package daemon

import (
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
		b.serveImage(probe.BootSector(strings.Repeat("x", n+1)), "raw") // each time another, to be fetched
		b.kill()
		b.must(network.Purge(t.Context(), cloud)) // for its points to be passed each time
		b.run("KARRI_CRASH_AT=" + name)
		i := b.order("")
		ended := b.life(i)
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

// life leads an instance through all wishes and tells whether nodectl ended.
func (b *bench) life(i id.Instance) bool {
	b.t.Helper()
	state := func(s wire.InstanceState) func(wire.InstanceSeen) bool {
		return func(seen wire.InstanceSeen) bool { return seen.State == s }
	}
	ended := false
	for _, w := range []struct {
		change func(*wire.Instance)
		until  func(wire.InstanceSeen) bool
	}{
		{func(*wire.Instance) {}, state(wire.InstanceRunning)},
		{func(w *wire.Instance) { w.Reboots++ }, func(s wire.InstanceSeen) bool { return s.Reboots == 1 }},
		{func(w *wire.Instance) { w.Want = wire.Stopped }, state(wire.InstanceStopped)},
		{func(w *wire.Instance) { w.Want, w.Launched = wire.Running, time.Now() }, state(wire.InstanceRunning)},
		{func(w *wire.Instance) { w.Want = wire.Gone }, state(wire.InstanceGone)},
	} {
		o := b.orders.Instances[i]
		w.change(&o)
		b.orders.Instances[i] = o
		b.gen++
		ended = b.insist(i, w.until) || ended
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
