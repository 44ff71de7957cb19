package keep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"karri/cloudctl/ec2"
	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/cloudctl/zonetest"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

// A story is what a user wishes at first, what he wishes after the crash, and
// what must be so when all is at rest.
type story struct {
	name  string
	begin func(w *world)
	after func(w *world) // nil: nothing
	check func(t testing.TB, w *world)
}

func gone(i *store.Instance) { i.Want = wire.Gone }

func detach(a *store.Attachment) { a.Want = wire.Detached }

var stories = []story{
	{"an instance comes to run", func(w *world) { w.wish(false) }, nil, runs},
	{"an instance with a volume comes to run", func(w *world) { w.wish(true) }, nil, func(t testing.TB, w *world) {
		runs(t, w)
		plugged(t, w)
	}},
	{"an instance is ended at any point", func(w *world) { w.wish(true) }, func(w *world) { w.instance(gone) }, nothingLeft},
	{"an instance is ended", func(w *world) { w.wish(true); w.settle(); w.instance(gone) }, nil, nothingLeft},
	{"an instance is stopped", func(w *world) { w.wish(true); w.settle(); w.instance(stop) }, nil, rests},
	{"an instance is started again at any point of its stop",
		func(w *world) { w.wish(true); w.settle(); w.instance(stop) }, func(w *world) { w.startAgain() }, func(t testing.TB, w *world) {
			i := w.instance(func(*store.Instance) {})
			if i.Want != wire.Running { // it could not be started yet: the stop was not over
				rests(t, w)
				return
			}
			if !i.Ran || !w.zone.Machines[instID].On {
				t.Errorf("it does not run: %+v", i)
			}
			plugged(t, w)
		}},
	{"a volume is detached", func(w *world) { w.wish(true); w.settle(); w.attachment(detach) }, nil, free},
	{"a volume is detached at any point of its attachment", func(w *world) { w.wish(true) }, func(w *world) { w.attachment(detach) }, free},
	{"a guest shuts itself down", func(w *world) { w.wish(true); w.settle(); w.shutdown() }, nil, rests},
	{"a guest that ends with its shutdown", func(w *world) {
		w.wish(true)
		w.settle()
		w.instance(func(i *store.Instance) { i.OnShut = "terminate" })
		w.shutdown()
	}, nil, nothingLeft},
	{"an instance cannot be had", func(w *world) { w.wish(true); w.zone.Broken[instID] = "Server.InternalError: no disk" }, nil,
		func(t testing.TB, w *world) {
			nothingLeft(t, w)
			if i := w.instance(func(*store.Instance) {}); i.Asked != "Server.InternalError" || !strings.Contains(i.AskedText, "no disk") {
				t.Errorf("reason %s: %s", i.Asked, i.AskedText)
			}
		}},
	{"a host is lost for good", func(w *world) { w.wish(false); w.settle(); w.lose() }, nil, lost},
	{"a host is lost for good while its instance stops", func(w *world) { w.wish(false); w.settle(); w.instance(stop); w.lose() }, nil, lost},
	{"no node takes an instance", func(w *world) { w.wish(true); w.zone.Refused[instID] = map[string]string{zonetest.Node: "full"} }, nil,
		func(t testing.TB, w *world) {
			nothingLeft(t, w)
			if i := w.instance(func(*store.Instance) {}); i.Asked != "Server.InsufficientInstanceCapacity" {
				t.Errorf("reason %s", i.Asked)
			}
		}},
}

func stop(i *store.Instance) { i.Want, i.Rested = wire.Stopped, false }

// settle runs without crashes until all is at rest.
func (w *world) settle() {
	w.Helper()
	fuse := w.fuse
	w.fuse, w.zone.Fuse = nil, nil
	if err := w.run(); err != nil {
		w.Fatal(err)
	}
	w.fuse, w.zone.Fuse = fuse, fuse
}

func (w *world) startAgain() {
	w.instance(func(i *store.Instance) {
		if i.Rested {
			i.Want, i.Ran, i.Rested, i.Launched = wire.Running, false, false, w.now
		}
	})
}

func (w *world) shutdown() {
	m := w.zone.Machines[instID]
	m.On, m.Off = false, "Client.InstanceInitiatedShutdown"
}

func (w *world) lose() {
	delete(w.zone.Machines, instID)
	w.zone.Broken[instID] = "Server.InternalError: the host was lost"
}

// lost is an instance that ran and cannot be had any more: stopped, with the
// reason, until its owner ends it.
func lost(t testing.TB, w *world) {
	w.right(t)
	if i := w.instance(func(*store.Instance) {}); i.Want != wire.Stopped || !i.Rested || i.Freed {
		t.Errorf("%+v", i)
	}
	w.instance(gone)
	w.settle()
	nothingLeft(t, w)
}

func (w *world) right(t testing.TB) {
	for _, wrong := range w.zone.Wrongs {
		t.Error(wrong)
	}
}

func runs(t testing.TB, w *world) {
	w.right(t)
	i, m := w.instance(func(*store.Instance) {}), w.zone.Machines[instID]
	if m == nil || !m.On || !i.Ran || i.Node != zonetest.Node || i.Started.IsZero() {
		t.Errorf("it does not run: %+v, %+v", m, i)
	}
}

func plugged(t testing.TB, w *world) {
	a := w.attachment(func(*store.Attachment) {})
	p, has := w.zone.Machines[instID].Volumes[volID]
	if a == nil || !a.Plugged || !has || p.Epoch != a.Epoch || w.zone.Exports[volID].Epoch != a.Epoch {
		t.Errorf("attachment %+v, machine has %+v, served %+v", a, p, w.zone.Exports[volID])
	}
}

func rests(t testing.TB, w *world) {
	w.right(t)
	i := w.instance(func(*store.Instance) {})
	seen := wire.InstanceSeen{State: wire.InstanceStopped}
	if m := w.zone.Machines[instID]; m == nil || m.On || !i.Rested || report.StateOf(i, seen) != report.Stopped {
		t.Errorf("it does not rest: %+v, %+v", m, i)
	}
	w.tx(func(tx *store.Tx) error {
		if all, _ := tx.AddressesOf(w.account); len(all) != 0 {
			t.Errorf("it still has %v", all)
		}
		return nil
	})
}

func free(t testing.TB, w *world) {
	w.right(t)
	if a := w.attachment(func(*store.Attachment) {}); a != nil || len(w.zone.Exports) != 0 || len(w.zone.Machines[instID].Volumes) != 0 {
		t.Errorf("attachment %+v, served %v, machine has %v", a, w.zone.Exports, w.zone.Machines[instID].Volumes)
	}
	if !w.zone.Volumes[volID] {
		t.Error("the volume is gone")
	}
}

func nothingLeft(t testing.TB, w *world) {
	for _, l := range w.left() {
		t.Error(l)
	}
	i := w.instance(func(*store.Instance) {})
	if !i.Freed || i.Ended.IsZero() {
		t.Errorf("it is not given back: %+v", i)
	}
}

func TestEveryStorySurvivesACrashAtEveryPoint(t *testing.T) {
	var points atomic.Int64
	t.Cleanup(func() { t.Logf("%d crashes", points.Load()) })
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			n := lifetest.Everywhere(t, func(f *lifetest.Fuse) (func() error, func(testing.TB)) {
				w := newWorld(t, f)
				s.begin(w)
				ran := 0
				run := func() error {
					if ran++; ran == 2 && s.after != nil {
						s.after(w)
					}
					return w.run()
				}
				return run, func(t testing.TB) { s.check(t, w) }
			})
			points.Add(int64(n))
		})
	}
}

func TestATerminatedInstanceIsListedForAnHour(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(false)
	w.settle()
	w.instance(gone)
	w.settle()
	w.now = w.now.Add(Listed + time.Minute)
	w.settle()
	w.tx(func(tx *store.Tx) error {
		if _, err := tx.Instance(w.account, instID); fault.KindOf(err) != fault.Missing {
			t.Errorf("it is still listed: %v", err)
		}
		tags, err := tx.TagsOf(w.account)
		if len(tags) != 0 {
			t.Errorf("left: %v", tags)
		}
		return err
	})
	if o, _ := w.orders(); len(o.Instances) != 0 {
		t.Errorf("orders still name it: %v", o)
	}
}

func (w *world) orders() (o wire.ClusterOrders, b wire.BlockOrders) {
	w.tx(func(tx *store.Tx) (err error) {
		if o, err = ClusterOrders(tx, "us-east-1", here); err == nil {
			b, err = BlockOrders(tx, here)
		}
		return err
	})
	return o, b
}

func TestSnapshotsComeAndGo(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(true)
	snap := id.Snapshot("snap-00000000000000001")
	w.tx(func(tx *store.Tx) error {
		return tx.Add(&store.Snapshot{ID: snap, Account: w.account, Volume: volID, Zone: here, SizeGiB: 1, Want: wire.Present})
	})
	w.settle()
	w.tx(func(tx *store.Tx) error {
		s, err := tx.SnapshotRow(snap)
		if err != nil || !s.Done {
			t.Errorf("%+v, %v", s, err)
			return err
		}
		s.Want = wire.Gone
		user := &store.Volume{ID: "vol-00000000000000002", Account: w.account, Zone: here, SizeGiB: 1, From: snap, FromZone: here, Want: wire.Present}
		if err := tx.Add(user); err != nil {
			return err
		}
		return tx.Put(s)
	})
	if _, b := w.orders(); b.Snapshots[snap].Want != wire.Present {
		t.Error("a snapshot is to go while a volume is made from it")
	}
	w.settle()
	w.tx(func(tx *store.Tx) error {
		if _, err := tx.SnapshotRow(snap); fault.KindOf(err) != fault.Missing {
			t.Errorf("it is still there: %v", err)
		}
		return nil
	})
	if len(w.zone.Snapshots) != 0 {
		t.Errorf("left: %v", w.zone.Snapshots)
	}
}

func rawDisk() []byte {
	b := make([]byte, 128<<10)
	b[510], b[511] = 0x55, 0xaa
	return b
}

func TestAnImageIsPinnedAtEveryPoint(t *testing.T) {
	sum := sha256.Sum256(rawDisk())
	ami := id.Image("ami-00000000000000001")
	n := lifetest.Everywhere(t, func(f *lifetest.Fuse) (func() error, func(testing.TB)) {
		w := newWorld(t, f)
		w.buckets.UserPut(w.account, "mine", "disk", rawDisk())
		o, err := w.buckets.For(w.account).Head(context.Background(), "mine", "disk")
		if err != nil {
			t.Fatal(err)
		}
		w.tx(func(tx *store.Tx) error {
			return tx.Add(&store.Image{ID: ami, Account: w.account, Name: "base", Bucket: "mine", Key: "disk", ETag: o.ETag, Bytes: o.Size, Want: wire.Present})
		})
		return w.run, func(t testing.TB) {
			w.buckets.UserPut(w.account, "mine", "disk", []byte("other"))
			w.tx(func(tx *store.Tx) error {
				i, err := tx.ImageRow(ami)
				if err != nil || report.ImageState(i) != "available" || i.SHA256 != hex.EncodeToString(sum[:]) || i.Format != "raw" || i.GiB != 1 {
					t.Errorf("%+v, %v", i, err)
				}
				i.Want = wire.Gone
				return tx.Put(i)
			})
			w.settle()
			if left := w.buckets.Keys(ec2.ImageBucket); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		}
	})
	t.Logf("%d crashes", n)
}

func TestAnImageThatCannotBeHadFails(t *testing.T) {
	for why, put := range map[string]func(w *world){
		"changed":                 func(w *world) { w.buckets.UserPut(w.account, "mine", "disk", append(rawDisk(), rawDisk()...)) },
		"can no longer be read":   func(*world) {},
		"neither qcow2 nor a raw": func(w *world) { w.buckets.UserPut(w.account, "mine", "disk", make([]byte, 128<<10)) },
	} {
		w := newWorld(t, nil)
		put(w)
		row := &store.Image{ID: "ami-00000000000000001", Account: w.account, Name: "base", Bucket: "mine", Key: "disk", Bytes: 128 << 10, Want: wire.Present}
		if o, err := w.buckets.For(w.account).Head(context.Background(), "mine", "disk"); err == nil {
			row.ETag = o.ETag
		}
		if why == "changed" {
			row.ETag = "x"
		}
		w.tx(func(tx *store.Tx) error { return tx.Add(row) })
		w.settle()
		w.tx(func(tx *store.Tx) error {
			i, err := tx.ImageRow(row.ID)
			if err == nil && (report.ImageState(i) != "failed" || !strings.Contains(i.Failure, why)) {
				t.Errorf("%s: %+v", why, i)
			}
			return err
		})
	}
}
