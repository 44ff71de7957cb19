package store_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"karri/blockstore/store"
	"karri/shared/fault"
)

const (
	vol  = "vol-0123456789abcdef0"
	snap = "snap-0123456789abcdef0"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "blockstore.db"))
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoEpochIsGrantedTwiceOrBeforeTheLastHasEnded(t *testing.T) {
	s := open(t)
	grant := func(epoch uint64) error {
		return s.Grant(t.Context(), store.Export{Volume: vol, Epoch: epoch, Node: "a", Port: 5})
	}
	must(t, grant(3))
	for _, epoch := range []uint64{2, 3, 4} {
		if err := grant(epoch); fault.CodeOf(err) != store.OldEpoch.Code {
			t.Errorf("epoch %d beside 3: %v", epoch, err)
		}
	}
	must(t, s.MarkExport(t.Context(), vol, 2, false, true)) // of another epoch
	if e, err := s.Export(t.Context(), vol); err != nil || e.Ended || e.Served {
		t.Fatalf("%+v, %v", e, err)
	}
	must(t, s.MarkExport(t.Context(), vol, 3, true, false))
	must(t, s.MarkExport(t.Context(), vol, 3, false, true))
	must(t, s.MarkExport(t.Context(), vol, 3, false, false))
	if e, err := s.Export(t.Context(), vol); err != nil || !e.Ended || !e.Served {
		t.Fatalf("%+v, %v", e, err)
	}
	for _, epoch := range []uint64{2, 3} {
		if err := grant(epoch); fault.CodeOf(err) != store.OldEpoch.Code {
			t.Errorf("epoch %d after 3: %v", epoch, err)
		}
	}
	must(t, grant(4))
	if err := s.Grant(t.Context(), store.Export{Volume: "vol-1", Epoch: 1, Port: 5}); err == nil {
		t.Error("a port is granted twice")
	}
}

func TestSnapshotsOfAVolumeAreFrozenOneAfterTheOther(t *testing.T) {
	s := open(t)
	if err := s.Plan(t.Context(), snap, vol, 0); err == nil {
		t.Error("a snapshot of no volume")
	}
	must(t, s.PutVolume(t.Context(), store.Volume{ID: vol, SizeGiB: 1, Made: true, LastLayer: -1}))
	must(t, s.Plan(t.Context(), snap, vol, 0))
	if err := s.Plan(t.Context(), "snap-2", vol, 0); fault.KindOf(err) != fault.Later {
		t.Errorf("two at once: %v", err)
	}
	first, err := s.Snapshot(t.Context(), snap)
	must(t, err)
	if want := (store.Snapshot{ID: snap, Volume: vol, State: store.Freezing, Since: -1}); !reflect.DeepEqual(*first, want) {
		t.Errorf("first is %+v", *first)
	}
	now := time.Now().UTC()
	first.State, first.Frozen = store.Frozen, &now
	must(t, s.PutSnapshot(t.Context(), *first))
	must(t, s.Plan(t.Context(), "snap-2", vol, 1))
	second, err := s.Snapshot(t.Context(), "snap-2")
	must(t, err)
	if second.Parent != snap || second.Since != 0 || second.Layer != 1 {
		t.Errorf("second is %+v", *second)
	}
	rows, err := s.Unfinished(t.Context(), vol)
	if err != nil || len(rows) != 2 || rows[0].ID != snap || !rows[0].Frozen.Equal(now) {
		t.Errorf("unfinished %+v, %v", rows, err)
	}
	must(t, s.Bury(t.Context(), *first, now))
	if rows, err = s.Unfinished(t.Context(), ""); err != nil || len(rows) != 1 {
		t.Errorf("unfinished %+v, %v", rows, err)
	}
	if due, err := s.Due(t.Context(), store.Sweep); err != nil || !due.Equal(now) {
		t.Errorf("sweep is due %v, %v", due, err)
	}
	must(t, s.ForgetSnapshot(t.Context(), "snap-2")) // it is not gone
	must(t, s.ForgetSnapshot(t.Context(), snap))
	if rows, err = s.Snapshots(t.Context()); err != nil || len(rows) != 1 || rows[0].ID != "snap-2" {
		t.Errorf("left are %+v, %v", rows, err)
	}
	must(t, s.SetDue(t.Context(), store.Sweep, time.Time{}))
	if due, err := s.Due(t.Context(), store.Sweep); err != nil || !due.IsZero() {
		t.Errorf("sweep is due %v, %v", due, err)
	}
}
