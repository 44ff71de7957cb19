package keep_test

import (
	"bytes"
	"strings"
	"testing"

	"karri/blockstore/chunk"
	"karri/blockstore/keep"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

var away = fault.New(fault.Later, "PeerAway", "Walrus is away.")

// failing makes walrus fail for what match says of the operation and the key.
func (w *world) failing(match func(op, key string) bool) {
	w.walrus.Fail(func(op, _, key string) error {
		if match(op, key) {
			return away
		}
		return nil
	})
}

// attached is a world with v1 on node a, with 1 in unit 0.
func attached(t *testing.T) *world {
	w := newWorld(t, nil)
	for _, c := range story[:2] {
		w.tell(c.change)
		must(t, w.settle())
	}
	w.write(0, 1)
	return w
}

func snapshot(s id.Snapshot, v id.Volume, want wire.Want) func(o *wire.BlockOrders) {
	return func(o *wire.BlockOrders) { o.Snapshots[s] = wire.Snapshot{Volume: v, Want: want} }
}

// While the pieces of one snapshot cannot be put, others of the same volume are
// taken; none changes, whatever is merged.
func TestSnapshotsWaitForTheOneBefore(t *testing.T) {
	w := attached(t)
	stuck := true
	w.failing(func(op, key string) bool { return stuck && op == "Put" && key == "snapshot/"+string(s1) })
	w.tell(snapshot(s1, v1, wire.Present))
	must(t, w.settle())
	w.write(0, 2)
	w.tell(snapshot(s2, v1, wire.Present))
	must(t, w.settle())
	w.write(0, 3)
	w.tell(snapshot(s3, v1, wire.Present))
	must(t, w.settle())
	w.write(0, 4)
	for _, s := range []id.Snapshot{s1, s2, s3} {
		if got := w.report().Snapshots[s]; got.State != wire.BlockPending || got.Frozen.IsZero() {
			t.Errorf("%s is %+v", s, got)
		}
	}
	if got := w.objects(t); len(got) != 1 || !strings.HasPrefix(got[0], "chunk/") {
		t.Errorf("walrus has %v: later snapshots have overtaken the first", got)
	}
	w.tell(snapshot(s2, v1, wire.Gone)) // the parent of s3 goes before it is whole
	must(t, w.settle())
	stuck = false
	must(t, w.settle())
	w.tell(func(o *wire.BlockOrders) {
		o.Volumes[v2] = wire.Volume{Want: wire.Present, SizeGiB: 1, From: s1}
		o.Volumes[v3] = wire.Volume{Want: wire.Present, SizeGiB: 1, From: s3}
	})
	must(t, w.settle())
	w.has(t, v1, map[int64]byte{0: 4})
	w.has(t, v2, map[int64]byte{0: 1})
	w.has(t, v3, map[int64]byte{0: 3})
	if got := w.report().Snapshots[s2].State; got != wire.BlockGone {
		t.Errorf("s2 is %s", got)
	}
	if s, err := w.disk.Seen(t.Context(), v1); err != nil || len(s.Layers) != 2 {
		t.Errorf("layers %v, %v", s.Layers, err)
	}
}

// A volume that goes is kept until the snapshots of it are whole.
func TestAVolumeWaitsForItsSnapshots(t *testing.T) {
	w := attached(t)
	stuck := true
	w.failing(func(op, key string) bool { return stuck && op == "Put" })
	w.tell(snapshot(s1, v1, wire.Present))
	must(t, w.settle())
	w.tell(func(o *wire.BlockOrders) {
		clear(o.Exports)
		o.Volumes[v1] = wire.Volume{Want: wire.Gone, SizeGiB: 1}
	})
	must(t, w.settle())
	if got := w.report().Volumes[v1].State; got != wire.BlockReady {
		t.Errorf("the volume is %s while its snapshot is not whole", got)
	}
	stuck = false
	must(t, w.settle())
	if got := w.report().Volumes[v1].State; got != wire.BlockGone {
		t.Errorf("the volume is %s", got)
	}
	w.tell(func(o *wire.BlockOrders) { o.Volumes[v2] = wire.Volume{Want: wire.Present, SizeGiB: 1, From: s1} })
	w.tell(snapshot(s2, v1, wire.Present)) // of a volume that is gone
	must(t, w.settle())
	w.has(t, v2, map[int64]byte{0: 1})
	if got := w.report().Snapshots[s2]; got.State != wire.BlockBroken || got.Reason == "" {
		t.Errorf("a snapshot of a volume that is gone is %+v", got)
	}
}

// The first snapshot of a volume that was made from one sends only what changed.
func TestACloneIsAnIncrementToItsSnapshot(t *testing.T) {
	w := attached(t)
	w.tell(snapshot(s1, v1, wire.Present))
	must(t, w.settle())
	w.tell(func(o *wire.BlockOrders) {
		o.Volumes[v2] = wire.Volume{Want: wire.Present, SizeGiB: 2, From: s1, Zone: zone}
		o.Exports[v2] = wire.Export{Node: "b", Epoch: 1}
	})
	must(t, w.settle())
	must(t, w.export.Write(v2, 7*unit, bytes.Repeat([]byte{7}, unit)))
	puts, heads := 0, 0
	w.walrus.Fail(func(op, _, key string) error {
		if op == "Put" && strings.HasPrefix(key, "chunk/") {
			puts++
		}
		if op == "Head" && strings.HasPrefix(key, "chunk/") {
			heads++
		}
		return nil
	})
	w.tell(snapshot(s2, v2, wire.Present))
	must(t, w.settle())
	if puts != 1 || heads != 1 {
		t.Errorf("%d pieces were put and %d looked for, for one that changed", puts, heads)
	}
	w.tell(func(o *wire.BlockOrders) { o.Volumes[v3] = wire.Volume{Want: wire.Present, SizeGiB: 2, From: s2} })
	must(t, w.settle())
	w.has(t, v3, map[int64]byte{0: 1, 7: 7, 20000: 0})
}

func TestWhatCannotBeHadIsBroken(t *testing.T) {
	w := attached(t)
	w.tell(snapshot(s1, v1, wire.Present))
	w.tell(func(o *wire.BlockOrders) {
		o.Volumes[v1] = wire.Volume{Want: wire.Present, SizeGiB: 1}
		o.Volumes[v2] = wire.Volume{Want: wire.Present, SizeGiB: 1, From: "snap-00000000000000009"}
	})
	must(t, w.settle())
	if got := w.report().Volumes[v2]; got.State != wire.BlockBroken || !strings.Contains(got.Reason, "snap-00000000000000009") {
		t.Errorf("a volume of no snapshot is %+v", got)
	}
	must(t, w.export.Kill(v1))
	must(t, w.disk.Remove(t.Context(), v1)) // a disk is lost
	must(t, w.settle())
	if got := w.report().Volumes[v1]; got.State != wire.BlockBroken || got.Reason == "" {
		t.Errorf("a volume whose bytes are lost is %+v", got)
	}
	if s, err := w.disk.Seen(t.Context(), v1); err != nil || s.Exists() {
		t.Errorf("an empty volume stands for one that was lost: %+v, %v", s, err)
	}
	w.tell(gone)
	must(t, w.settle())
	w.empty(t)
}

// Silence never ends a volume or a snapshot; for an export the list is whole,
// once there is one.
func TestSilence(t *testing.T) {
	w := attached(t)
	w.tell(snapshot(s1, v1, wire.Present))
	must(t, w.settle())
	told := w.gen
	w.orders, w.gen = wire.BlockOrders{}, 0 // the orders are lost
	must(t, w.settle())
	if w.export.Ticket(v1).Epoch != 1 {
		t.Error("an export ended because no orders were ever accepted")
	}
	w.gen = told + 1 // an empty list
	must(t, w.settle())
	if w.export.Ticket(v1).Epoch != 0 {
		t.Error("an export that the orders do not name is served")
	}
	r := w.report()
	if r.Volumes[v1].State != wire.BlockReady || r.Snapshots[s1].State != wire.BlockReady || len(r.Exports) != 0 {
		t.Errorf("after an empty list: %+v", r)
	}
	w.has(t, v1, map[int64]byte{0: 1})
}

// What a lower epoch, the same one again or another node asks for is not served.
func TestNoEpochTwice(t *testing.T) {
	w := attached(t)
	order := func(node string, epoch uint64) uint64 {
		w.tell(func(o *wire.BlockOrders) { o.Exports[v1] = wire.Export{Node: node, Epoch: epoch} })
		must(t, w.settle())
		return w.export.Ticket(v1).Epoch
	}
	if order("b", 1); w.export.Ticket(v1).Peer != "a.us-east-1a.nodectl.karri" {
		t.Error("an epoch went to another node")
	}
	if got := order("b", 5); got != 5 {
		t.Fatalf("served is %d", got)
	}
	w.tell(func(o *wire.BlockOrders) { clear(o.Exports) })
	must(t, w.settle())
	for _, epoch := range []uint64{1, 4, 5} {
		if got := order("b", epoch); got != 0 {
			t.Errorf("after the end of epoch 5, epoch %d is served", got)
		}
	}
	if got := order("a", 6); got != 6 {
		t.Errorf("served is %d", got)
	}
	w.right(t)
}

// The sweep leaves alone what a snapshot in the making has put.
func TestNoSweepWhileASnapshotIsMade(t *testing.T) {
	w := attached(t)
	w.tell(snapshot(s1, v1, wire.Present))
	must(t, w.settle())
	w.write(1, 2)
	stuck := true
	w.failing(func(op, key string) bool { return stuck && op == "Put" && key == "snapshot/"+string(s2) })
	w.tell(snapshot(s2, v1, wire.Present))
	w.tell(snapshot(s1, v1, wire.Gone))
	must(t, w.settle())
	w.now = w.now.Add(1000 * w.keeper().Grace)
	must(t, w.settle())
	stuck = false
	must(t, w.settle())
	if _, err := (&chunk.Store{Walrus: w.walrus, Zone: zone}).Manifest(t.Context(), zone, s2); err != nil {
		t.Error(err)
	}
	w.tell(func(o *wire.BlockOrders) { o.Volumes[v2] = wire.Volume{Want: wire.Present, SizeGiB: 1, From: s2} })
	must(t, w.settle())
	w.has(t, v2, map[int64]byte{0: 1, 1: 2})
}

// A snapshot of another zone is read where that zone keeps it; the next one
// here has all its pieces here.
func TestAVolumeFromAnotherZone(t *testing.T) {
	w := attached(t)
	w.tell(snapshot(s1, v1, wire.Present))
	must(t, w.settle())
	other := func() *keep.Keeper {
		k := w.keeper()
		k.Zone, k.Chunks = "us-east-1b", &chunk.Store{Walrus: w.walrus, Zone: "us-east-1b", Piece: unit}
		return k
	}
	w.tell(func(o *wire.BlockOrders) {
		*o = wire.BlockOrders{Volumes: map[id.Volume]wire.Volume{v2: {Want: wire.Present, SizeGiB: 1, From: s1, Zone: zone}},
			Exports: map[id.Volume]wire.Export{}, Snapshots: map[id.Snapshot]wire.Snapshot{s2: {Volume: v2, Want: wire.Present}}}
	})
	must(t, w.settleWith(other()))
	w.has(t, v2, map[int64]byte{0: 1, 3: 0})
	m, err := other().Chunks.Manifest(t.Context(), "us-east-1b", s2)
	must(t, err)
	if len(m.Pieces) != 1 {
		t.Fatalf("the snapshot in the other zone is %+v", m)
	}
	must(t, other().Chunks.Get(t.Context(), "us-east-1b", m.Pieces[0].Hash, make([]byte, unit)))
}
