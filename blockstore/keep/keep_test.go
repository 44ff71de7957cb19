package keep_test

import (
	"testing"

	"karri/shared/id"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

// story is a history of wishes and writes; each chapter is told and settled.
// The writes come before the wish, by the guest that has v1.
var story = []struct {
	name   string
	writes map[int64]byte
	change func(o *wire.BlockOrders)
}{
	{"make", nil, func(o *wire.BlockOrders) { o.Volumes[v1] = wire.Volume{Want: wire.Present, SizeGiB: 1} }},
	{"attach", nil, func(o *wire.BlockOrders) { o.Exports[v1] = wire.Export{Node: "a", Epoch: 1} }},
	{"snapshot", map[int64]byte{0: 1, 5: 1}, func(o *wire.BlockOrders) {
		o.Snapshots[s1] = wire.Snapshot{Volume: v1, Want: wire.Present}
	}},
	{"snapshot again", map[int64]byte{5: 2, 9: 2}, func(o *wire.BlockOrders) {
		o.Snapshots[s2] = wire.Snapshot{Volume: v1, Want: wire.Present}
	}},
	{"clone and move", map[int64]byte{9: 3}, func(o *wire.BlockOrders) {
		o.Volumes[v2] = wire.Volume{Want: wire.Present, SizeGiB: 1, From: s1, Zone: zone}
		o.Volumes[v3] = wire.Volume{Want: wire.Present, SizeGiB: 2, From: s2, Zone: zone}
		o.Exports[v1] = wire.Export{Node: "b", Epoch: 2}
	}},
	{"write on, and snapshot the clone", map[int64]byte{0: 4}, func(o *wire.BlockOrders) {
		o.Snapshots[s3] = wire.Snapshot{Volume: v2, Want: wire.Present}
	}},
}

// gone wishes all away.
func gone(o *wire.BlockOrders) {
	clear(o.Exports)
	for v, volume := range o.Volumes {
		volume.Want = wire.Gone
		o.Volumes[v] = volume
	}
	for s, snap := range o.Snapshots {
		snap.Want = wire.Gone
		o.Snapshots[s] = snap
	}
}

// play tells the story from a chapter on, and notes where it is.
func (w *world) play(chapter *int) error {
	for ; *chapter < len(story); *chapter++ {
		c := story[*chapter]
		for index, b := range c.writes {
			w.write(index, b)
		}
		w.tell(c.change)
		if err := w.settle(); err != nil {
			return err
		}
	}
	return nil
}

// told checks the world at the end of the story.
func (w *world) told(t testing.TB) {
	t.Helper()
	w.has(t, v1, map[int64]byte{0: 4, 5: 2, 9: 3, 1: 0})
	w.has(t, v2, map[int64]byte{0: 1, 5: 1, 9: 0})
	w.has(t, v3, map[int64]byte{0: 1, 5: 2, 9: 2})
	r := w.report()
	for _, v := range []id.Volume{v1, v2, v3} {
		if r.Volumes[v].State != wire.BlockReady {
			t.Errorf("%s is %+v", v, r.Volumes[v])
		}
		if s, err := w.disk.Seen(t.Context(), v); err != nil || len(s.Layers) > 2 {
			t.Errorf("%s has layers %v, %v", v, s.Layers, err)
		}
	}
	for _, s := range []id.Snapshot{s1, s2, s3} {
		if r.Snapshots[s].State != wire.BlockReady || r.Snapshots[s].Percent != 100 || r.Snapshots[s].Frozen.IsZero() {
			t.Errorf("%s is %+v", s, r.Snapshots[s])
		}
	}
	e := r.Exports[v1]
	if len(r.Exports) != 1 || e.Node != "b" || e.Epoch != 2 || e.Name != string(v1)+"/2" || e.Address == "" {
		t.Errorf("exports are %+v", r.Exports)
	}
	if got := w.export.Ticket(v1); got.Epoch != 2 || got.Peer != "b.us-east-1a.nodectl.karri" {
		t.Errorf("served is %+v", got)
	}
	w.right(t)
}

func (w *world) right(t testing.TB) {
	t.Helper()
	for _, wrong := range w.export.Wrongs() {
		t.Error(wrong)
	}
}

func TestStory(t *testing.T) {
	w, chapter := newWorld(t, nil), 0
	must(t, w.play(&chapter))
	w.told(t)
	if got := w.objects(t); len(got) != 2+3 {
		t.Errorf("walrus has %d objects for two pieces and three snapshots: %v", len(got), got)
	}
	w.tell(gone)
	must(t, w.settle())
	w.empty(t)
}

// A blockstore may die anywhere, and so may the storage daemons with it.
func TestCrashEverywhere(t *testing.T) {
	for name, deadly := range map[string]bool{"alone": false, "with its storage daemons": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
				w, chapter, runs := newWorld(t, fuse), 0, 0
				run := func() error {
					if runs++; runs > 1 && deadly {
						for _, v := range []id.Volume{v1, v2, v3} {
							must(t, w.export.Kill(v))
						}
						must(t, w.settle()) // the guest's writes wait for this
					}
					return w.play(&chapter)
				}
				return run, func(t testing.TB) {
					w.told(t)
					w.tell(gone)
					must(t, w.settle())
					w.empty(t)
				}
			})
			t.Logf("crashed at each of %d points", n)
		})
	}
}

// Whatever is half done, a wish that it be gone leaves nothing.
func TestWishedAwayEverywhere(t *testing.T) {
	t.Parallel()
	n := lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
		w, chapter, runs := newWorld(t, fuse), 0, 0
		run := func() error {
			if runs++; runs == 1 {
				if err := w.play(&chapter); err != nil {
					return err
				}
			}
			w.tell(gone)
			return w.settle()
		}
		return run, func(t testing.TB) {
			w.right(t)
			w.empty(t)
		}
	})
	t.Logf("wished away at each of %d points", n)
}

// Whatever is half done, a volume moves to another node, and its first node
// never comes back.
func TestMovedEverywhere(t *testing.T) {
	t.Parallel()
	n := lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
		w, chapter, runs := newWorld(t, fuse), 0, 0
		run := func() error {
			if runs++; runs == 1 {
				if err := w.play(&chapter); err != nil {
					return err
				}
			}
			w.tell(func(o *wire.BlockOrders) {
				o.Volumes[v1] = wire.Volume{Want: wire.Present, SizeGiB: 1}
				o.Exports[v1] = wire.Export{Node: "c", Epoch: 9}
			})
			return w.settle()
		}
		return run, func(t testing.TB) {
			w.right(t)
			if got := w.export.Ticket(v1); got.Epoch != 9 || got.Peer != "c.us-east-1a.nodectl.karri" {
				t.Errorf("served is %+v", got)
			}
			for s := range w.orders.Snapshots {
				if got := w.report().Snapshots[s]; got.State != wire.BlockReady {
					t.Errorf("%s is %+v", s, got)
				}
			}
			w.tell(func(o *wire.BlockOrders) { o.Exports[v1] = wire.Export{Node: "a", Epoch: 1} })
			must(t, w.settle())
			if got := w.export.Ticket(v1); got.Epoch != 9 {
				t.Errorf("after an order for an old epoch, served is %+v", got)
			}
		}
	})
	t.Logf("moved at each of %d points", n)
}
