package keep

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"karri/clusterctl/choose"
	"karri/clusterctl/nodetest"
	"karri/clusterctl/store"
	"karri/shared/id"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

// world is a zone with nodes, and cloudctl's part in the hand of the test. It
// survives the keepers that run over it.
type world struct {
	t      testing.TB
	dir    string
	store  *store.Store
	book   *wire.Book[wire.ClusterOrders]
	gen    uint64
	orders wire.ClusterOrders
	nodes  map[string]*nodetest.Node
	fuse   *lifetest.Fuse
	policy choose.Policy
}

// scratch returns a folder in memory where there is one: hundreds of worlds
// each wait for many fsyncs.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "karri-keep-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newWorld(t testing.TB, nodes int) *world {
	t.Helper()
	w := &world{t: t, dir: scratch(t), nodes: map[string]*nodetest.Node{}, policy: choose.RoundRobin}
	var err error
	if w.store, err = store.Open(t.Context(), filepath.Join(w.dir, "db")); err != nil {
		t.Fatal(err)
	}
	if w.book, err = wire.OpenBook[wire.ClusterOrders](filepath.Join(w.dir, "book")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close(); w.book.Close() })
	for i := range nodes {
		w.join(fmt.Sprint("n", i+1))
	}
	return w
}

var room = wire.Capacity{VCPUs: 4, MemoryMiB: 2048, DiskGiB: 40}

func (w *world) join(name string) {
	w.t.Helper()
	ctx := context.Background()
	hash := crand.Text()
	if err := w.store.AddJoinToken(ctx, hash, "", time.Now().Add(time.Hour)); err != nil {
		w.t.Fatal(err)
	}
	row, err := w.store.Admit(ctx, hash, name, "key of "+name, name+":1", time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	n, err := nodetest.New(filepath.Join(w.dir, hash), name, netip.AddrFrom4([4]byte{10, 77, 0, byte(row.ID)}), room)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { n.Close() })
	w.nodes[name] = n
}

// fused burns before and after each change.
type fused struct {
	*store.Store
	fuse *lifetest.Fuse
}

func around[T any](f *lifetest.Fuse, change func() (T, error)) (v T, err error) {
	f.Around(func() { v, err = change() })
	return v, err
}

func none(change func() error) func() (struct{}, error) {
	return func() (struct{}, error) { return struct{}{}, change() }
}

func (f fused) Place(ctx context.Context, i id.Instance, c func([]store.Placement) *store.Placement) error {
	_, err := around(f.fuse, none(func() error { return f.Store.Place(ctx, i, c) }))
	return err
}

func (f fused) Unplace(ctx context.Context, i id.Instance) error {
	_, err := around(f.fuse, none(func() error { return f.Store.Unplace(ctx, i) }))
	return err
}

func (f fused) SetState(ctx context.Context, i id.Instance, s string) error {
	_, err := around(f.fuse, none(func() error { return f.Store.SetState(ctx, i, s) }))
	return err
}

func (f fused) SetEndpoint(ctx context.Context, n int, e string) error {
	_, err := around(f.fuse, none(func() error { return f.Store.SetEndpoint(ctx, n, e) }))
	return err
}

func (f fused) NextGeneration(ctx context.Context, n int, least uint64) (uint64, error) {
	return around(f.fuse, func() (uint64, error) { return f.Store.NextGeneration(ctx, n, least) })
}

type fusedNode struct {
	*nodetest.Node
	fuse *lifetest.Fuse
}

func (f fusedNode) Tell(ctx context.Context, gen uint64, o wire.NodeOrders) error {
	_, err := around(f.fuse, none(func() error { return f.Node.Tell(ctx, gen, o) }))
	return err
}

// keeper starts a clusterctl's keeper over the world.
func (w *world) keeper() *Keeper {
	return New(&Keeper{Zone: "z", Store: fused{w.store, w.fuse}, Book: w.book, Board: wire.NewBoard[wire.ClusterReport](), Policy: w.policy,
		Dial: func(n store.Node) (Node, func()) { return fusedNode{w.nodes[n.Name], w.fuse}, func() {} },
		Log:  slog.New(slog.DiscardHandler)})
}

// rounds lets k and the nodes work until nothing can be left to do.
func (w *world) rounds(k *Keeper) wire.ClusterReport {
	w.t.Helper()
	ctx := context.Background()
	for range 4 {
		for name, n := range w.nodes {
			k.mu.Lock()
			for _, v := range k.views {
				v.seen.Version = 0 // news or not, do not wait for it
			}
			k.mu.Unlock()
			_ = k.Ask(ctx, name)
			if err := n.Work(); err != nil {
				w.t.Fatal(err)
			}
		}
		_ = k.instances.Kind.SettleAll(ctx)
		_ = k.nodes.Kind.SettleAll(ctx)
	}
	if err := k.Publish(ctx); err != nil {
		w.t.Fatal(err)
	}
	r, _ := k.Board.Report()
	return r
}

// order is cloudctl telling its whole list anew.
func (w *world) order(change func(o *wire.ClusterOrders)) {
	w.t.Helper()
	if w.orders.Instances == nil {
		w.orders = wire.ClusterOrders{Instances: map[id.Instance]wire.Instance{},
			Networks: map[id.VPC]wire.Network{"vpc-1": {VNI: 1}, "vpc-2": {VNI: 2}}, Groups: map[id.Group]wire.Group{}}
	}
	change(&w.orders)
	w.gen++
	if err := w.book.Tell(context.Background(), w.gen, w.orders); err != nil {
		w.t.Fatal(err)
	}
}

func instance(n int, want wire.Want) wire.Instance {
	return wire.Instance{Want: want, VCPUs: 1, MemoryMiB: 128, DiskGiB: 2, Interfaces: []wire.Interface{{
		ID: id.Interface(fmt.Sprint("eni-", n)), VPC: "vpc-1", Address: netip.AddrFrom4([4]byte{172, 31, 0, byte(n)}), Groups: []id.Group{"sg-1"}}}}
}

func (w *world) want(i id.Instance, n int, want wire.Want) {
	w.order(func(o *wire.ClusterOrders) { o.Instances[i] = instance(n, want) })
}

// copies returns on how many nodes there is something of i.
func (w *world) copies(i id.Instance) (n int) {
	for _, node := range w.nodes {
		if s, ok := node.Has()[i]; ok && s != wire.InstanceGone {
			n++
		}
	}
	return n
}

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
	if r = w.rounds(k); r.Instances["i-1"].State != wire.InstanceGone || w.copies("i-1") != 0 || r.Nodes[at].Used.VCPUs != 1 {
		t.Errorf("gone, its place kept until cloudctl knows: %+v", r)
	}
	w.order(func(o *wire.ClusterOrders) { delete(o.Instances, "i-1") })
	if r = w.rounds(k); len(r.Instances) != 0 || r.Nodes[at].Used.VCPUs != 0 {
		t.Errorf("freed: %+v", r)
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
	if err := w.store.ForgetNode(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	delete(w.nodes, lost)
	r = w.rounds(k)
	if r.Instances["i-1"].State != wire.InstanceBroken || r.Instances["i-2"].State != wire.InstanceRunning || len(r.Nodes) != 1 {
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

func TestRender(t *testing.T) {
	eni := func(n int, vpc id.VPC, groups ...id.Group) wire.Instance {
		return wire.Instance{Want: wire.Running, Interfaces: []wire.Interface{{ID: id.Interface(fmt.Sprint("eni-", n)), VPC: vpc,
			Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), Groups: groups}}}
	}
	gone := eni(4, "vpc-1", "sg-a")
	gone.Want = wire.Gone
	z := zone{links: map[string]wire.Link{"n1": {Index: 1}, "n2": {Index: 2}},
		node: map[id.Instance]string{"i-1": "n1", "i-2": "n2", "i-3": "n2", "i-4": "n2"},
		orders: wire.ClusterOrders{
			Instances: map[id.Instance]wire.Instance{"i-1": eni(1, "vpc-1", "sg-a", "sg-b"), "i-2": eni(2, "vpc-1", "sg-a"),
				"i-3": eni(3, "vpc-2", "sg-c"), "i-4": gone, "i-5": eni(5, "vpc-1", "sg-a")},
			Networks: map[id.VPC]wire.Network{"vpc-1": {VNI: 1}, "vpc-2": {VNI: 2}},
			Groups: map[id.Group]wire.Group{
				"sg-a": {Ingress: []wire.Rule{{Protocol: "tcp", From: 22, To: 22, CIDR: netip.MustParsePrefix("0.0.0.0/0")}, {Protocol: "-1", From: -1, To: -1, Group: "sg-a"}}},
				"sg-b": {Ingress: []wire.Rule{{Protocol: "tcp", From: 22, To: 22, CIDR: netip.MustParsePrefix("192.0.2.9/24")}, {Protocol: "udp", From: 1, To: 2, Group: "sg-empty"}},
					Egress: []wire.Rule{{Protocol: "-1", From: -1, To: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")}}},
			}}}
	o := z.render("n1")
	p := netip.MustParsePrefix
	want := wire.Firewall{
		In: []wire.FlatRule{
			{Protocol: "-1", From: -1, To: -1, Peers: []netip.Prefix{p("10.0.0.1/32"), p("10.0.0.2/32"), p("10.0.0.5/32")}},
			{Protocol: "tcp", From: 22, To: 22, Peers: []netip.Prefix{p("0.0.0.0/0"), p("192.0.2.0/24")}},
		},
		Out: []wire.FlatRule{{Protocol: "-1", From: -1, To: -1, Peers: []netip.Prefix{p("0.0.0.0/0")}}},
	}
	if !reflect.DeepEqual(o.Firewalls, map[id.Interface]wire.Firewall{"eni-1": want}) {
		t.Errorf("rules %+v", o.Firewalls)
	}
	if !reflect.DeepEqual(o.Remotes, map[id.Interface]wire.Remote{"eni-2": {VPC: "vpc-1", Address: netip.MustParseAddr("10.0.0.2"), Node: "n2"}}) {
		t.Errorf("remotes %+v", o.Remotes)
	}
	if len(o.Instances) != 1 || len(o.Networks) != 1 || len(o.Links) != 2 {
		t.Errorf("%+v", o)
	}
	if n2 := z.render("n2"); len(n2.Instances) != 3 || len(n2.Networks) != 2 || len(n2.Remotes) != 1 {
		t.Errorf("%+v", n2)
	}
}

func TestAGroupIsAppliedWhenItsNodesSaySo(t *testing.T) {
	w := newWorld(t, 2)
	k := w.keeper()
	w.order(func(o *wire.ClusterOrders) {
		o.Groups["sg-1"], o.Groups["sg-2"] = wire.Group{VPC: "vpc-1"}, wire.Group{VPC: "vpc-1"}
		o.Instances["i-1"] = instance(1, wire.Running)
	})
	r := w.rounds(k)
	at := w.nodes[r.Instances["i-1"].Node]
	if r.Groups["sg-1"].Applied != w.gen || r.Groups["sg-2"].Applied != w.gen {
		t.Fatalf("generation %d: %+v", w.gen, r.Groups)
	}
	was := w.gen
	w.order(func(o *wire.ClusterOrders) {
		o.Groups["sg-1"] = wire.Group{VPC: "vpc-1", Ingress: []wire.Rule{{Protocol: "tcp", From: 22, To: 22, CIDR: netip.MustParsePrefix("0.0.0.0/0")}}}
	})
	at.SetDown(true) // the rule cannot get there
	if r = w.rounds(k); r.Groups["sg-1"].Applied != was || r.Groups["sg-2"].Applied != w.gen {
		t.Errorf("generation %d is in force where it is not: %+v", w.gen, r.Groups)
	}
	at.SetDown(false)
	if r = w.rounds(k); r.Groups["sg-1"].Applied != w.gen {
		t.Errorf("generation %d: %+v", w.gen, r.Groups)
	}
	// A generation that changes nothing for the node is in force at once.
	w.order(func(o *wire.ClusterOrders) { o.Groups["sg-2"] = wire.Group{VPC: "vpc-2"} })
	if r = w.rounds(k); r.Groups["sg-1"].Applied != w.gen {
		t.Errorf("generation %d: %+v", w.gen, r.Groups)
	}
}
