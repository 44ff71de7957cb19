package keep

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/clusterctl/choose"
	"karri/clusterctl/store"
	"karri/shared/id"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

func TestOneInstanceThroughItsLife(t *testing.T) {
	w := newWorld(t, 2)
	k := w.keeper()
	w.want("i-1", 1, wire.Running)
	r := w.rounds(k)
	at := r.Instances["i-1"].Node
	if r.Instances["i-1"].State != wire.InstanceRunning || w.copies("i-1") != 1 || w.nodes[at].Has()["i-1"] != wire.InstanceRunning {
		t.Fatalf("%+v", r.Instances)
	}
	if n := r.Nodes[at]; n.State != wire.Ready || n.Used.VCPUs != 1 || n.Total != room {
		t.Errorf("%+v", n)
	}
	w.want("i-1", 1, wire.Stopped)
	if r = w.rounds(k); r.Instances["i-1"].State != wire.InstanceStopped || r.Instances["i-1"].Node != at {
		t.Errorf("stopped: %+v", r.Instances)
	}
	k = w.keeper() // a restart
	w.want("i-1", 1, wire.Running)
	if r = w.rounds(k); r.Instances["i-1"].State != wire.InstanceRunning || r.Instances["i-1"].Node != at {
		t.Errorf("started again elsewhere: %+v", r.Instances)
	}
	w.want("i-1", 1, wire.Gone)
	if r = w.rounds(k); r.Instances["i-1"].State != wire.InstanceGone || w.copies("i-1") != 0 || r.Nodes[at].Used.VCPUs != 0 {
		t.Errorf("gone, and its room free: %+v", r)
	}
	w.order(func(o *wire.ClusterOrders) { delete(o.Instances, "i-1") })
	if r = w.rounds(k); len(r.Instances) != 0 || r.Nodes[at].Used.VCPUs != 0 {
		t.Errorf("freed: %+v", r)
	}
}

// A user who ends what he has may start as much again at once, though what is
// ended stays in his list for an hour.
func TestTheRoomOfAnEndedInstanceIsFreeAtOnce(t *testing.T) {
	w := newWorld(t, 1)
	k := w.keeper()
	for n := range room.VCPUs {
		w.want(id.Instance(fmt.Sprint("i-", n)), n+1, wire.Running)
	}
	w.rounds(k)
	w.want("i-0", 1, wire.Gone)
	w.want("i-next", 9, wire.Running)
	w.rounds(k)
	if r := w.rounds(k); r.Instances["i-0"].State != wire.InstanceGone || r.Instances["i-next"].State != wire.InstanceRunning {
		t.Errorf("%+v", r.Instances)
	}
}

// From every wish to every other, crashed at each point on the way: what is
// wanted last is what is, once, and no place is left behind.
func TestCrashedAnywhereWithChangedWishes(t *testing.T) {
	wishes := []wire.Want{wire.Running, wire.Stopped, wire.Gone, ""}
	total := 0
	for _, first := range wishes[:3] {
		for _, then := range wishes {
			total += lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
				w := newWorld(t, 2)
				w.want("i-1", 1, wire.Running)
				if first != wire.Running {
					w.rounds(w.keeper())
				}
				w.want("i-1", 1, first)
				w.fuse = fuse
				starts := 0
				run := func() error {
					if starts++; starts == 2 { // after the crash the wish is another
						w.fuse = nil
						if then != "" {
							w.want("i-1", 1, then)
						}
					}
					w.rounds(w.keeper())
					return nil
				}
				return run, func(t testing.TB) {
					last := then
					if then == "" {
						last = first
					}
					w.settled(t, last)
				}
			})
		}
	}
	t.Logf("%d crashes", total)
	if total < 60 {
		t.Errorf("only %d crashes", total)
	}
}

// settled checks that the wish last is what is, and ends the instance.
func (w *world) settled(t testing.TB, last wire.Want) {
	t.Helper()
	k := w.keeper()
	r := w.rounds(k)
	s := r.Instances["i-1"]
	switch last {
	case wire.Running:
		if s.State != wire.InstanceRunning || w.copies("i-1") != 1 {
			t.Fatalf("wanted running: %+v, %d copies", s, w.copies("i-1"))
		}
	case wire.Stopped:
		if s.State != wire.InstanceStopped || w.copies("i-1") > 1 {
			t.Fatalf("wanted stopped: %+v, %d copies", s, w.copies("i-1"))
		}
	case wire.Gone:
		if s.State != wire.InstanceGone || w.copies("i-1") != 0 {
			t.Fatalf("wanted gone: %+v, %d copies", s, w.copies("i-1"))
		}
	}
	w.want("i-1", 1, wire.Gone)
	w.rounds(k)
	w.order(func(o *wire.ClusterOrders) { delete(o.Instances, "i-1") })
	if r := w.rounds(k); len(r.Instances) != 0 || w.copies("i-1") != 0 {
		t.Fatalf("left behind: %+v", r)
	}
	if ps, err := w.store.Placements(context.Background()); err != nil || len(ps) != 0 {
		t.Fatalf("placements left behind: %v %v", ps, err)
	}
}

func TestSilenceNeverKillsNorMoves(t *testing.T) {
	w := newWorld(t, 2)
	k := w.keeper()
	w.want("i-1", 1, wire.Running)
	at := w.rounds(k).Instances["i-1"].Node
	w.nodes[at].SetDown(true)
	k = w.keeper() // a restart while the node is away: its report is not known
	r := w.rounds(k)
	if s := r.Instances["i-1"]; s.State != wire.InstanceRunning || s.Node != at || r.Nodes[at].State != wire.Away {
		t.Errorf("%+v %+v", s, r.Nodes[at])
	}
	// Orders that forget it do not end it either.
	w.order(func(o *wire.ClusterOrders) { delete(o.Instances, "i-1") })
	w.nodes[at].SetDown(false)
	r = w.rounds(k)
	if s := r.Instances["i-1"]; !s.Stray || s.State != wire.InstanceRunning || w.copies("i-1") != 1 || r.Nodes[at].Used.VCPUs != 1 {
		t.Errorf("%+v", r)
	}
	w.want("i-1", 1, wire.Running)
	if s := w.rounds(k).Instances["i-1"]; s.Stray || s.Node != at || w.nodes[at].Starts("i-1") != 1 {
		t.Errorf("named again: %+v", s)
	}
}

func TestAForgottenNodeLosesItsInstancesOnly(t *testing.T) {
	w := newWorld(t, 2)
	k := w.keeper()
	w.want("i-1", 1, wire.Running)
	w.want("i-2", 2, wire.Running)
	r := w.rounds(k)
	lost := r.Instances["i-1"].Node
	if r.Instances["i-2"].Node == lost {
		t.Fatal("round robin put both on one node")
	}
	if err := w.store.ForgetNode(t.Context(), lost, time.Now()); err != nil {
		t.Fatal(err)
	}
	delete(w.nodes, lost)
	r = w.rounds(k)
	if r.Instances["i-1"].State != wire.InstanceBroken || !r.Instances["i-1"].Lost || r.Instances["i-2"].State != wire.InstanceRunning || len(r.Nodes) != 1 {
		t.Errorf("%+v", r)
	}
	w.want("i-1", 1, wire.Gone)
	if r = w.rounds(k); r.Instances["i-1"].State != wire.InstanceGone {
		t.Errorf("%+v", r.Instances["i-1"])
	}
	w.order(func(o *wire.ClusterOrders) { delete(o.Instances, "i-1") })
	w.rounds(k)
	if ps, _ := w.store.Placements(t.Context()); len(ps) != 1 {
		t.Errorf("%v", ps)
	}
	w.join(lost) // a new host under the old name has a new index, and nothing of the old one
	r = w.rounds(k)
	if n, err := w.store.NodeNamed(t.Context(), lost); err != nil || n.ID != 3 || r.Nodes[lost].Used.VCPUs != 0 {
		t.Errorf("%+v %v", n, err)
	}
}

func TestARestoredStoreAdoptsInsteadOfPlacingAgain(t *testing.T) {
	w := newWorld(t, 2)
	w.want("i-1", 1, wire.Running)
	at := w.rounds(w.keeper()).Instances["i-1"].Node
	// The store comes back as it was before the nodes were told anything.
	old := w.store
	var err error
	if w.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "db")); err != nil {
		t.Fatal(err)
	}
	defer w.store.Close()
	rows, _ := old.Nodes(t.Context())
	for _, n := range rows {
		if err := w.store.AddJoinToken(t.Context(), "h"+n.Name, "", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.Admit(t.Context(), "h"+n.Name, n.Name, n.Key, n.Address, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	old.Close()
	k := w.keeper()
	w.want("i-2", 2, wire.Running)
	r := w.rounds(k)
	if s := r.Instances["i-1"]; s.Node != at || s.State != wire.InstanceRunning || w.copies("i-1") != 1 {
		t.Errorf("i-1 was not kept where it is: %+v", s)
	}
	if w.copies("i-2") != 0 || !strings.Contains(r.Nodes[at].Trouble, "adopt") {
		t.Errorf("something was done before adopt: %+v", r)
	}
	done, err := k.Adopt(t.Context())
	if err != nil || len(done) == 0 {
		t.Fatal(done, err)
	}
	r = w.rounds(k)
	if r.Instances["i-2"].State != wire.InstanceRunning || w.nodes[at].Starts("i-1") != 1 || w.copies("i-1") != 1 {
		t.Errorf("after adopt: %+v", r)
	}
}

// Instances come and go at random; no node ever has more than it can carry,
// each refusal names every node, and in the end all room is free again.
func TestPlacementNeverOversubscribes(t *testing.T) {
	for name, policy := range choose.Policies {
		for seed := range uint64(2) {
			w := newWorld(t, 3)
			w.policy = policy
			k := w.keeper()
			r := rand.New(rand.NewPCG(seed, 1))
			for step := range 12 {
				w.order(func(o *wire.ClusterOrders) {
					for i, in := range o.Instances {
						if w.copies(i) == 0 && in.Want == wire.Gone {
							delete(o.Instances, i)
						} else if r.IntN(4) == 0 {
							in.Want = []wire.Want{wire.Gone, wire.Stopped, wire.Running}[r.IntN(3)]
							o.Instances[i] = in
						}
					}
					for n := range r.IntN(6) {
						in := instance(step*8+n, wire.Running)
						in.VCPUs, in.MemoryMiB, in.DiskGiB = 1+r.IntN(2), 128<<r.IntN(4), 1+r.IntN(20)
						o.Instances[id.Instance(fmt.Sprintf("i-%d-%d", step, n))] = in
					}
				})
				rep := w.rounds(k)
				for _, n := range rep.Nodes {
					if n.Used.VCPUs > n.Total.VCPUs || n.Used.MemoryMiB > n.Total.MemoryMiB || n.Used.DiskGiB > n.Total.DiskGiB {
						t.Fatalf("%s, seed %d: %+v", name, seed, n)
					}
				}
				for i, s := range rep.Instances {
					if s.Node == "" && w.orders.Instances[i].Want == wire.Running && len(s.Refused) != 3 {
						t.Fatalf("%s, seed %d: %s is refused by %v", name, seed, i, s.Refused)
					}
				}
			}
		}
	}
}
