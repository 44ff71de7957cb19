package history

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"karri/blockstore/chunk"
	"karri/blockstore/export/exporttest"
	block "karri/blockstore/keep"
	blockstore "karri/blockstore/store"
	"karri/blockstore/volume/volumetest"
	"karri/clusterctl/choose"
	cluster "karri/clusterctl/keep"
	clusterstore "karri/clusterctl/store"
	node "karri/nodectl/keep"
	"karri/shared/life"
	"karri/shared/wire"
	"karri/tools/devcloud/pretend"
)

var nowhere = slog.New(slog.DiscardHandler)

// zone is a zone: its clusterctl, its blockstore and its hosts.
type zone struct {
	w        *world
	name     string
	clusterd *daemon
	blockd   *daemon
	cluster  way[wire.ClusterOrders, wire.ClusterReport]
	block    way[wire.BlockOrders, wire.BlockReport]
	nodes    []*host

	clusterDB *clusterstore.Store
	blockDB   *blockstore.Store
	disk      *volumetest.Fake
	export    *exporttest.Fake
}

// host is a host with its nodectl.
type host struct {
	*pretend.Host
	name    string
	noded   *daemon
	way     way[wire.NodeOrders, wire.NodeReport]
	address netip.Addr
}

// way is where orders come in and reports go out of a daemon.
type way[O, R any] struct {
	book  *wire.Book[O]
	board *wire.Board[R]
}

func (y *way[O, R]) local() wire.Peer[O, R] { return wire.Local(y.book, y.board) }

// reopen is what a start finds on disk.
func (y *way[O, R]) reopen(dir string) (err error) {
	y.close()
	y.board = wire.NewBoard[R]()
	y.book, err = wire.OpenBook[O](dir)
	return err
}

func (y *way[O, R]) close() {
	if y.book != nil {
		_ = y.book.Close() // what was accepted is on disk
	}
}

var size = wire.Capacity{VCPUs: 16, MemoryMiB: 16 << 10, DiskGiB: 200}

// newZone makes a zone with so many hosts.
func (w *world) newZone(name string, hosts int) (z *zone, err error) {
	z = &zone{w: w, name: name, disk: volumetest.New()}
	z.export = exporttest.New(z.disk)
	z.disk.Fuse, z.export.Fuse = w.fuse, w.fuse
	dir := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Join(dir, "drafts"), 0o700); err != nil {
		return nil, err
	}
	if z.clusterDB, err = clusterstore.Open(w.ctx, filepath.Join(dir, "clusterctl.db")); err != nil {
		return nil, err
	}
	if z.blockDB, err = blockstore.Open(w.ctx, filepath.Join(dir, "blockstore.db")); err != nil {
		return nil, err
	}
	z.blockDB.Pass = w.fuse.Pass
	z.clusterd = w.daemon("clusterctl "+name, z.openCluster)
	z.blockd = w.daemon("blockstore "+name, z.openBlock)
	for range hosts {
		if err := z.addHost(dir); err != nil {
			return nil, err
		}
	}
	return z, nil
}

func (z *zone) addHost(dir string) error {
	n := len(z.nodes) + 1
	h := &host{Host: pretend.NewHost(), name: fmt.Sprintf("%s-node%d", z.name, n), address: netip.AddrFrom4([4]byte{10, 77, 0, byte(n)})}
	h.Fuse = z.w.fuse
	z.nodes = append(z.nodes, h)
	hash := "token of " + h.name
	if err := z.clusterDB.AddJoinToken(z.w.ctx, hash, "", z.w.now.Add(time.Hour)); err != nil {
		return err
	}
	if _, err := z.clusterDB.Admit(z.w.ctx, hash, h.name, "key of "+h.name, h.name+":1", z.w.now); err != nil {
		return err
	}
	h.noded = z.w.daemon("nodectl "+h.name, func() ([]step, error) { return z.w.openNode(h, filepath.Join(dir, h.name)) })
	return nil
}

func (w *world) clock() time.Time { return w.now }

func (z *zone) openCluster() ([]step, error) {
	w := z.w
	if err := z.cluster.reopen(filepath.Join(w.dir, z.name, "clusterctl")); err != nil {
		return nil, err
	}
	byName := map[string]*host{}
	for _, h := range z.nodes {
		byName[h.name] = h
	}
	k := cluster.New(&cluster.Keeper{
		Zone: z.name, Store: fused{z.clusterDB, w.fuse}, Book: z.cluster.book, Board: z.cluster.board,
		Policy: choose.RoundRobin, Log: nowhere, Now: w.clock,
		Dial: func(n clusterstore.Node) (cluster.Node, func()) {
			h := byName[n.Name]
			return peer[wire.NodeOrders, wire.NodeReport]{w, z.clusterd, h.noded, h.way.local}, func() {}
		},
	})
	steps := []step{
		settling(w, k.Instances()), settling(w, k.Nodes()),
		{"publish", func() { _ = k.Publish(w.ctx) }},
	}
	for _, h := range z.nodes {
		steps = append(steps, step{"ask " + h.name, func() { _ = k.Ask(w.ctx, h.name) }})
	}
	return steps, nil
}

func (z *zone) openBlock() ([]step, error) {
	w := z.w
	if err := z.block.reopen(filepath.Join(w.dir, z.name, "blockstore")); err != nil {
		return nil, err
	}
	k := &block.Keeper{
		Zone: z.name, Orders: z.block.book.Orders, Store: z.blockDB, Disk: z.disk, Export: z.export,
		Chunks: &chunk.Store{Walrus: w.walrus, Zone: z.name}, Drafts: filepath.Join(w.dir, z.name, "drafts"),
		Listen: "10.0.0.1", Now: w.clock, Grace: time.Hour,
	}
	return []step{
		settling(w, k.Volumes()), settling(w, k.Exports()), settling(w, k.Freezes()), settling(w, k.Snapshots()), settling(w, k.Sweeps()),
		{"publish", func() {
			r, err := k.Report(w.ctx, func(string, string) life.Status { return life.Status{} })
			if err == nil {
				_, err = z.block.board.Publish(r)
			}
			if err != nil {
				w.say("%s cannot report: %v", z.blockd.name, err)
			}
		}},
	}, nil
}

func (w *world) openNode(h *host, dir string) ([]step, error) {
	if err := h.way.reopen(dir); err != nil {
		return nil, err
	}
	k := node.New(h.Host, h.way.book, h.Host, node.Patience{}, w.clock)
	return []step{
		settling(w, k.Kind()),
		{"publish", func() {
			_, gen := h.way.book.Orders()
			r := wire.NodeReport{
				Host:      map[string]wire.Host{h.name: {Accelerator: "qemu", Endpoint: h.address, Total: size, Rules: gen}},
				Instances: k.Report(func(string) (life.Status, bool) { return life.Status{}, false }),
			}
			if _, err := h.way.board.Publish(r); err != nil {
				w.say("%s cannot report: %v", h.name, err)
			}
		}},
	}, nil
}
