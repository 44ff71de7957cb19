package keep

import (
	"fmt"
	"testing"

	"karri/cloudctl/store"
	"karri/shared/id"
	"karri/shared/wire"
)

// many writes n running instances with their interfaces.
func (w *world) many(n int) {
	w.Helper()
	w.tx(func(tx *store.Tx) error {
		subnet, err := tx.DefaultSubnet(w.account, here)
		if err != nil {
			return err
		}
		group, err := tx.GroupNamed(w.account, subnet.VPC, "default")
		if err != nil {
			return err
		}
		for k := range n {
			i := id.Instance(fmt.Sprintf("i-%017x", k+100))
			for _, r := range []store.Record{
				&store.Instance{ID: i, Account: w.account, Reservation: "r-many", Number: k, Zone: here, Want: wire.Running, Launched: w.now, Created: w.now, Type: "t1.nano", OnShut: "stop", UserData: make([]byte, 500)},
				&store.Interface{ID: id.Interface(fmt.Sprintf("eni-%017x", k+100)), Account: w.account, VPC: subnet.VPC, Subnet: subnet.ID, Zone: here,
					MAC: fmt.Sprintf("02:00:00:01:%02x:%02x", k>>8, k&255), Address: fmt.Sprintf("172.30.%d.%d", k>>8, k&255), Groups: []id.Group{group.ID},
					SourceCheck: true, Instance: i, DeleteOnTermination: true},
			} {
				if err := tx.Add(r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// A change of one instance among ten thousand, until the zone has been told.
func BenchmarkOneChangeAmongTenThousand(b *testing.B) {
	w := newWorld(b, nil)
	w.wish(false)
	w.many(10_000)
	w.start()
	if err := w.cluster.Tell(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		w.instance(func(i *store.Instance) { i.Reboots++ })
		if err := w.cluster.Tell(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if want := w.instance(func(*store.Instance) {}).Reboots; w.zone.ClusterOrders.Instances[instID].Reboots != want {
		b.Error("the zone was not told")
	}
}

// A look at ten thousand instances of which none has changed.
func BenchmarkNoChangeAmongTenThousand(b *testing.B) {
	w := newWorld(b, nil)
	w.many(10_000)
	w.start()
	for b.Loop() {
		if err := w.cluster.Tell(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
