package keep

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/cloudctl/zonetest"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

func TestTheNumberGrowsOnlyWithTheOrders(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(false)
	w.settle()
	before := w.zone.ClusterGen
	w.settle()
	if w.zone.ClusterGen != before {
		t.Errorf("from %d to %d without a change", before, w.zone.ClusterGen)
	}
	w.instance(func(i *store.Instance) { i.Reboots++ })
	w.settle()
	if w.zone.ClusterGen != before+1 || w.zone.ClusterOrders.Instances[instID].Reboots != 1 {
		t.Errorf("generation %d after %d, %+v", w.zone.ClusterGen, before, w.zone.ClusterOrders.Instances[instID])
	}
}

func TestAZoneThatLostItsOrdersIsToldAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(false)
	w.settle()
	gen := w.zone.ClusterGen
	w.zone.ClusterGen, w.zone.ClusterOrders = 0, wire.ClusterOrders{}
	for range 2 {
		if err := w.round(); err != nil {
			t.Fatal(err)
		}
	}
	if w.zone.ClusterGen != gen || len(w.zone.ClusterOrders.Instances) != 1 {
		t.Errorf("generation %d, want %d; %v", w.zone.ClusterGen, gen, w.zone.ClusterOrders.Instances)
	}
}

// backup copies the database as an administrator does who stopped the daemon.
func (w *world) backup() (restore func()) {
	w.Helper()
	w.store.Close()
	b, err := os.ReadFile(w.path)
	if err != nil {
		w.Fatal(err)
	}
	w.open()
	return func() {
		w.store.Close()
		w.path = filepath.Join(w.TempDir(), "cloud.db")
		if err := os.WriteFile(w.path, b, 0o600); err != nil {
			w.Fatal(err)
		}
		w.open()
	}
}

func TestARestoreEndsNothingUntilItIsAdopted(t *testing.T) {
	w := newWorld(t, nil)
	w.settle() // the zone is told of nothing
	restore := w.backup()
	w.wish(true)
	w.settle()
	restore()
	machines := len(w.zone.Machines)
	w.start()
	for range 3 {
		if err := w.round(); err == nil || !strings.Contains(err.Error(), "restored from an old copy") && !strings.Contains(err.Error(), "ahead") {
			t.Fatalf("it tells without a word: %v", err)
		}
	}
	if len(w.zone.Machines) != machines || !w.zone.Machines[instID].On {
		t.Fatal("a restore ended what runs")
	}
	if err := w.adopt(); err != nil {
		t.Fatal(err)
	}
	gen := w.zone.ClusterGen
	w.settle()
	if w.zone.ClusterGen <= gen || !w.zone.Machines[instID].On {
		t.Errorf("generation %d after %d, machine %+v", w.zone.ClusterGen, gen, w.zone.Machines[instID])
	}
	if seen := w.keeper.Reports.Cluster(here).Instances[instID]; !seen.Stray {
		t.Errorf("what the database does not name is no stray: %+v", seen)
	}
}

func (w *world) adopt() error {
	r := w.keeper.Reports
	return Adopt(context.Background(), w.store, here, r.Cluster(here), r.Block(here), w.now)
}

func TestAdoptTakesTheZoneAsItIs(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(true)
	w.settle()
	restore := w.backup() // it runs, says the copy
	w.instance(stop)
	w.settle()
	w.instance(func(i *store.Instance) { i.Protected = true })
	w.settle()
	restore()
	w.start()
	_ = w.round()
	if err := w.adopt(); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if i := w.instance(func(*store.Instance) {}); i.Want != wire.Stopped || w.zone.Machines[instID].On {
		t.Errorf("it rested before the restore, and now: %+v", i)
	}
	if err := w.adopt(); fault.KindOf(err) != fault.Conflict {
		t.Errorf("nothing is to be adopted, but: %v", err)
	}
}

func TestAdoptEndsWhatTheZoneNoLongerHas(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(true)
	w.settle()
	restore := w.backup()
	w.instance(gone)
	w.settle()
	restore()
	w.start()
	_ = w.round()
	if err := w.adopt(); err != nil {
		t.Fatal(err)
	}
	w.settle()
	nothingLeft(t, w)
}

func TestOrdersSayAllThatAHostMustKnow(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(true)
	w.settle()
	o, b := w.orders()
	i := o.Instances[instID]
	if len(i.Interfaces) != 1 {
		t.Fatalf("%+v", i)
	}
	e := i.Interfaces[0]
	if e.Address.String() != "172.31.0.4" || e.Public.String() != "192.0.2.1" || e.Hostname != "ip-172-31-0-4" || e.CIDR.String() != "172.31.0.0/20" || !e.SourceCheck || len(e.Groups) != 1 {
		t.Errorf("interface %+v", e)
	}
	n := o.Networks[e.VPC]
	if n.VNI == 0 || n.Account != w.account || n.Subnets[e.Subnet] != e.CIDR || n.Domain != "us-east-1.compute.internal" {
		t.Errorf("network %+v", n)
	}
	g := o.Groups[e.Groups[0]]
	if len(g.Ingress) != 1 || g.Ingress[0].Group != e.Groups[0] || len(g.Egress) != 1 || g.Egress[0].CIDR.String() != "0.0.0.0/0" || i.Groups[0] != "default" {
		t.Errorf("group %+v", g)
	}
	if a := i.Volumes[volID]; a.Epoch == 0 || a.Address == "" || a.Export != string(volID)+"/1" || a.Device != "/dev/sdf" || a.SizeGiB != 1 {
		t.Errorf("attachment %+v", a)
	}
	if x := b.Exports[volID]; x.Node != zonetest.Node || x.Epoch != 1 || b.Volumes[volID].SizeGiB != 1 {
		t.Errorf("export %+v", x)
	}
}

func TestHealthFallsWithSilence(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(false)
	w.settle()
	i := w.instance(func(*store.Instance) {})
	c := w.keeper.Reports.Cluster(here)
	away := report.Cluster{Heard: c.Heard, ClusterReport: wire.ClusterReport{
		Instances: c.Instances, Nodes: map[string]wire.Node{zonetest.Node: {State: wire.Away}},
	}}
	for _, x := range []struct {
		want string
		got  string
	}{
		{"ok", c.Health(i, c.Heard)}, {"impaired", c.Health(i, c.Heard.Add(2*report.Old))}, {"impaired", away.Health(i, c.Heard)},
		{"initializing", report.Cluster{Heard: c.Heard, ClusterReport: wire.ClusterReport{Instances: map[id.Instance]wire.InstanceSeen{}}}.Health(i, c.Heard)},
	} {
		if x.got != x.want {
			t.Errorf("%s, want %s", x.got, x.want)
		}
	}
}

// Where nothing was written since the last look the wishes are not read again,
// for a minute: another process may have the database open.
func TestAnUnchangedStoreIsNotReadAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(false)
	w.start()
	reads := 0
	orders := w.cluster.Orders
	w.cluster.Orders = func(tx *store.Tx) (wire.ClusterOrders, error) { reads++; return orders(tx) }
	tell := func(want int, when string) {
		t.Helper()
		reads = 0
		if err := w.cluster.Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
		if reads != want {
			t.Errorf("%s: read %d times, not %d", when, reads, want)
		}
	}
	tell(1, "at first")
	tell(0, "again")
	w.instance(func(i *store.Instance) { i.Reboots++ })
	tell(1, "after a change")
	if w.zone.ClusterOrders.Instances[instID].Reboots != 1 {
		t.Error("the zone was not told")
	}
	tell(0, "after that")
	w.now = w.now.Add(relook + time.Second)
	tell(1, "after a minute")

	w.cluster.Orders = func(tx *store.Tx) (wire.ClusterOrders, error) {
		if reads++; reads == 1 { // somebody writes between the look and the number
			w.instance(func(i *store.Instance) { i.Reboots++ })
		}
		return orders(tx)
	}
	w.instance(func(i *store.Instance) { i.Reboots++ })
	tell(2, "with a change meanwhile")
	if got := w.zone.ClusterOrders.Instances[instID].Reboots; got != 3 {
		t.Errorf("the zone was told of %d reboots", got)
	}
}
