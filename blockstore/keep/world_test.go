package keep_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"karri/blockstore/chunk"
	"karri/blockstore/export/exporttest"
	"karri/blockstore/keep"
	"karri/blockstore/store"
	"karri/blockstore/volume/volumetest"
	"karri/shared/bucket/buckettest"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

const (
	zone = "us-east-1a"
	v1   = id.Volume("vol-00000000000000001")
	v2   = id.Volume("vol-00000000000000002")
	v3   = id.Volume("vol-00000000000000003")
	s1   = id.Snapshot("snap-00000000000000001")
	s2   = id.Snapshot("snap-00000000000000002")
	s3   = id.Snapshot("snap-00000000000000003")
	unit = 64 << 10 // of what a guest writes, and of a snapshot's pieces
)

// world is all that outlives a blockstore: disk, storage daemons, walrus, its
// records and its orders.
type world struct {
	t      testing.TB
	disk   *volumetest.Fake
	export *exporttest.Fake
	walrus *buckettest.Fake
	store  *store.Store
	drafts string
	orders wire.BlockOrders
	gen    uint64
	now    time.Time
}

func newWorld(t testing.TB, fuse *lifetest.Fuse) *world {
	t.Helper()
	dir := memoryDir(t)
	s, err := store.Open(t.Context(), filepath.Join(dir, "blockstore.db"))
	must(t, err)
	t.Cleanup(s.Close)
	disk := volumetest.New()
	w := &world{t: t, disk: disk, export: exporttest.New(disk), walrus: buckettest.New(fuse), store: s, drafts: dir,
		now: time.Now()}
	s.Pass, disk.Fuse, w.export.Fuse = fuse.Pass, fuse, fuse
	return w
}

// memoryDir is a folder where an fsync costs nothing, if there is one.
func memoryDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "karri-keep-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// keeper is a blockstore that starts anew over the world.
func (w *world) keeper() *keep.Keeper {
	return &keep.Keeper{
		Zone:   zone,
		Orders: func() (wire.BlockOrders, uint64) { return w.orders, w.gen },
		Store:  w.store, Disk: w.disk, Export: w.export, Drafts: w.drafts, Listen: "10.0.0.1",
		Chunks: &chunk.Store{Walrus: w.walrus, Zone: zone, Piece: unit},
		Now:    func() time.Time { return w.now },
		Grace:  time.Hour,
	}
}

// settle runs the loops until nothing is left to do but to wait.
func (w *world) settle() error { return w.settleWith(w.keeper()) }

func (w *world) settleWith(k *keep.Keeper) error {
	ctx := w.t.Context()
	settlers := []func() error{
		func() error { return k.Volumes().SettleAll(ctx) },
		func() error { return k.Exports().SettleAll(ctx) },
		func() error { return k.Freezes().SettleAll(ctx) },
		func() error { return k.Snapshots().SettleAll(ctx) },
		func() error { return k.Sweeps().SettleAll(ctx) },
	}
	for steps, before, round := 1, 0, 0; steps > before && round < 8; round++ { // a loop may wait for what another does
		before = steps
		k.Nudge = func() { steps++ }
		for _, settle := range settlers {
			if err := settle(); err != nil && fault.KindOf(err) != fault.Later {
				return err
			}
		}
	}
	return nil
}

// tell gives orders of a new generation.
func (w *world) tell(change func(o *wire.BlockOrders)) {
	o := wire.BlockOrders{Volumes: maps.Clone(w.orders.Volumes), Exports: maps.Clone(w.orders.Exports), Snapshots: maps.Clone(w.orders.Snapshots)}
	if o.Volumes == nil {
		o = wire.BlockOrders{Volumes: map[id.Volume]wire.Volume{}, Exports: map[id.Volume]wire.Export{}, Snapshots: map[id.Snapshot]wire.Snapshot{}}
	}
	change(&o)
	w.orders, w.gen = o, w.gen+1
}

func (w *world) report() wire.BlockReport {
	w.t.Helper()
	r, err := w.keeper().Report(w.t.Context(), func(string, string) life.Status { return life.Status{} })
	must(w.t, err)
	return r
}

// write writes a byte all over a unit of v1, as the guest that has it; a guest
// waits when its volume does not answer.
func (w *world) write(index int64, b byte) {
	_ = w.export.Write(v1, index*unit, bytes.Repeat([]byte{b}, unit))
}

// has checks what the units of a volume are filled with.
func (w *world) has(t testing.TB, v id.Volume, want map[int64]byte) {
	t.Helper()
	got := make([]byte, unit)
	for index, b := range want {
		if _, err := w.disk.Read(v, got, index*unit); err != nil || !bytes.Equal(got, bytes.Repeat([]byte{b}, unit)) {
			t.Errorf("%s: unit %d begins with %d, want %d all over (%v)", v, index, got[0], b, err)
		}
	}
}

// objects lists what the zone has in walrus.
func (w *world) objects(t testing.TB) []string {
	t.Helper()
	page, err := w.walrus.List(t.Context(), chunk.Bucket(zone), "", "", 0)
	if err != nil && fault.KindOf(err) != fault.Missing {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range page.Objects {
		keys = append(keys, o.Key)
	}
	return keys
}

// empty checks that nothing is left of anything.
func (w *world) empty(t testing.TB) {
	t.Helper()
	for v := range w.orders.Volumes {
		if got := w.report().Volumes[v].State; got != wire.BlockGone {
			t.Errorf("%s is %s", v, got)
		}
	}
	for s := range w.orders.Snapshots {
		if got := w.report().Snapshots[s].State; got != wire.BlockGone {
			t.Errorf("%s is %s", s, got)
		}
	}
	w.tell(func(o *wire.BlockOrders) { clear(o.Volumes); clear(o.Snapshots) })
	must(t, w.settle())
	w.now = w.now.Add(3 * time.Hour)
	must(t, w.settle())
	disk, err := w.disk.Volumes(t.Context())
	must(t, err)
	r := w.report()
	files, err := filepath.Glob(filepath.Join(w.drafts, "snap-*"))
	must(t, err)
	left := fmt.Sprint(disk, w.objects(t), r.Volumes, r.Exports, r.Snapshots, files)
	if left != fmt.Sprint([]id.Volume(nil), []string(nil), map[int]int{}, map[int]int{}, map[int]int{}, []string(nil)) {
		t.Errorf("left are %s", left)
	}
}
