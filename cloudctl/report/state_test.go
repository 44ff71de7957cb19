package report

import (
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/shared/wire"
)

func TestStatesOfInstances(t *testing.T) {
	run, stop, gone := wire.Running, wire.Stopped, wire.Gone
	for _, c := range []struct {
		row  store.Instance
		seen wire.InstanceState
		want InstanceState
	}{
		{store.Instance{Want: run}, "", Pending},
		{store.Instance{Want: run}, wire.InstanceStopped, Pending}, // of before it was started
		{store.Instance{Want: run}, wire.InstanceRunning, Running},
		{store.Instance{Want: run, Ran: true}, "", Running}, // the zone is silent
		{store.Instance{Want: stop, Ran: true}, wire.InstanceRunning, Stopping},
		{store.Instance{Want: stop, Ran: true}, wire.InstanceStopped, Stopped},
		{store.Instance{Want: stop, Rested: true}, "", Stopped},
		{store.Instance{Want: gone}, "", ShuttingDown},
		{store.Instance{Want: gone, Ran: true}, wire.InstanceRunning, ShuttingDown},
		{store.Instance{Want: gone}, wire.InstanceGone, ShuttingDown}, // what it held is not given back yet
		{store.Instance{Want: gone, Freed: true}, "", Terminated},
	} {
		if got := StateOf(&c.row, wire.InstanceSeen{State: c.seen}); got != c.want {
			t.Errorf("%+v seen %q: %s, want %s", c.row.Want, c.seen, got, c.want)
		}
	}
	if Terminated.Code() != 48 || Pending.Code() != 0 || Stopped.Code() != 80 {
		t.Error("the numbers are not EC2's")
	}
}

func TestStatesOfVolumesSnapshotsAndImages(t *testing.T) {
	a := &store.Attachment{Want: wire.Attached}
	for want, got := range map[string]string{
		"creating":  VolumeState(&store.Volume{Want: wire.Present}, nil),
		"available": VolumeState(&store.Volume{Want: wire.Present, Ready: true}, nil),
		"in-use":    VolumeState(&store.Volume{Want: wire.Present, Ready: true}, a),
		"error":     VolumeState(&store.Volume{Want: wire.Present, Failure: "x"}, nil),
		"deleting":  VolumeState(&store.Volume{Want: wire.Gone, Ready: true}, a),
		"attaching": AttachmentState(a),
		"attached":  AttachmentState(&store.Attachment{Want: wire.Attached, Plugged: true}),
		"detaching": AttachmentState(&store.Attachment{Want: wire.Detached, Plugged: true}),
		"completed": SnapshotState(&store.Snapshot{Done: true}),
		"pending":   SnapshotState(&store.Snapshot{}),
		"failed":    ImageState(&store.Image{Copied: true, Failure: "x"}),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestReportsAreKeptByZone(t *testing.T) {
	var l Latest
	now := time.Now()
	l.PutCluster("b", wire.ClusterReport{}, now)
	l.PutCluster("a", wire.ClusterReport{}, now)
	l.PutBlock("c", wire.BlockReport{}, now)
	if z := l.Zones(); len(z) != 2 || z[0] != "a" || !l.Cluster("c").Heard.IsZero() || l.Block("c").Heard != now {
		t.Errorf("zones %v", z)
	}
}
