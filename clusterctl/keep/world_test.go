package keep

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
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

func (f fused) Unplace(ctx context.Context, i id.Instance, now time.Time) error {
	_, err := around(f.fuse, none(func() error { return f.Store.Unplace(ctx, i, now) }))
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
