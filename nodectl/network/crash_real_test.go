//go:build real

package network

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"karri/shared/crash/crashtest"
	"karri/shared/fault"
	"karri/shared/wire"
)

// TestMain runs, when told to, one host's network in the namespace that the
// process is in: sync, plug, unplug, each as the file says, and dies where the
// environment wants it.
func TestMain(m *testing.M) {
	if p := os.Getenv("KARRI_NETWORK_CHILD"); p != "" {
		os.Exit(child(p))
	}
	os.Exit(m.Run())
}

type work struct {
	State  string
	Orders wire.NodeOrders
	Plug   bool
	Unplug bool
}

func child(path string) int {
	var w work
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		panic(err)
	}
	n, err := New(Options{Cloud: clouds(0), Node: "host0", State: w.State, Endpoint: endpoint(0), VXLANPort: testPort, Uplink: "eth0"})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if _, err := n.Sync(ctx, 1, w.Orders); err != nil {
		panic(err)
	}
	for i, o := range w.Orders.Instances {
		if w.Plug {
			err = n.Plug(ctx, i, o)
		}
		if w.Unplug {
			err = n.Unplug(ctx, i, o)
		}
		if err != nil {
			panic(err)
		}
	}
	return 0
}

// The process dies at each point on the way of plugging a guest, and of
// unplugging it; the next one goes on from there, and nothing is left over.
func TestDiesEverywhere(t *testing.T) {
	points := crashtest.Points(t, ".")
	if len(points) < 9 {
		t.Fatal(points)
	}
	died := map[string]bool{}
	for _, p := range points {
		t.Run(p, func(t *testing.T) { dieAt(t, p, died) })
	}
	for _, p := range points {
		if !died[p] {
			t.Errorf("nothing passes %s", p)
		}
	}
	t.Logf("died at %d points", len(died))
}

func dieAt(t *testing.T, point string, died map[string]bool) {
	l := newLab(t)
	must(t, l.nets[0].Close())
	must(t, l.nets[0].Close())
	if _, err := l.nets[0].Sync(t.Context(), 1, l.orders[0]); fault.CodeOf(err) != "NetworkClosed" {
		t.Error("a closed network works:", err)
	}
	l.nets[0] = nil
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "10.77.0.201", pingIn)
	b := l.order("b", 1, "aa", 101, "10.0.0.12", "", pingIn)
	a.space = l.space(spaceName("a"))
	tap := TapName(clouds(0), a.iface.ID)
	must(t, l.hosts[0].AddVeth(tap, "eth0", a.space))
	must(t, l.sh(a.space, "ip link set lo up && ip link set eth0 address "+a.iface.MAC+" up && ip addr add 10.0.0.11/24 dev eth0 && ip route add default via 10.0.0.1"))
	_, err := l.nets[1].Sync(t.Context(), 1, l.orders[1])
	must(t, err)
	l.boot(b, false)

	plug := work{State: l.states[0], Orders: l.orders[0], Plug: true}
	died[point] = l.run(plug, point) || died[point]
	l.run(plug, "")
	if !l.pings(a.space, "10.0.0.12") || !l.pings(l.world, "10.77.0.201") {
		t.Error("the guest is not in its network")
	}
	w := l.orders[0].Instances[a.id]
	w.Want = wire.Gone
	l.orders[0].Instances[a.id] = w
	unplug := work{State: l.states[0], Orders: l.orders[0], Unplug: true}
	died[point] = l.run(unplug, point) || died[point]
	l.run(unplug, "")
	empty := work{State: l.states[0], Orders: wire.NodeOrders{Links: l.orders[0].Links}}
	l.run(empty, "")
	l.mustBeEmpty(0)
}

// run has a process of its own do the work on host 0, and reports whether it
// died at the point given.
func (l *lab) run(w work, at string) bool {
	t := l.t
	t.Helper()
	f := filepath.Join(t.TempDir(), "work.json")
	raw, err := json.Marshal(w)
	must(t, err)
	must(t, os.WriteFile(f, raw, 0o600))
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "KARRI_NETWORK_CHILD="+f, "KARRI_CRASH_AT="+at, "KARRI_NETWORK_RUN="+run)
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	must(t, l.hosts[0].Do(c.Start))
	switch err := c.Wait(); {
	case err == nil:
		return false
	case c.ProcessState.ExitCode() == 137 && at != "":
		return true
	default:
		t.Fatalf("%v: %s", err, out.String())
		return false
	}
}
