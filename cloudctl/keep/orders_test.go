package keep

import (
	"net/netip"
	"slices"
	"testing"

	"karri/cloudctl/store"
	"karri/shared/id"
	"karri/shared/wire"
)

// A rule that names a group lets in its members wherever they are: those of
// other zones are in the orders by address, until they are wished gone.
func TestMembersInOtherZonesAreInTheOrders(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(false)
	var group id.Group
	there := &store.Instance{ID: "i-00000000000000002", Account: w.account, Zone: "us-east-1b", Want: wire.Running, Launched: w.now, Created: w.now}
	w.tx(func(tx *store.Tx) error {
		subnet, err := tx.DefaultSubnet(w.account, here)
		if err != nil {
			return err
		}
		g, err := tx.GroupNamed(w.account, subnet.VPC, "default")
		if err != nil {
			return err
		}
		group = g.ID
		lonely := &store.Group{ID: "sg-00000000000000009", Account: w.account, VPC: subnet.VPC, Name: "unnamed", Created: w.now}
		eni := &store.Interface{ID: "eni-00000000000000002", Account: w.account, VPC: subnet.VPC, Subnet: subnet.ID, Zone: there.Zone,
			MAC: "02:00:00:00:00:02", Address: "172.31.16.4", Groups: []id.Group{group, lonely.ID}, Instance: there.ID}
		for _, r := range []store.Record{there, lonely, eni} {
			if err := tx.Add(r); err != nil {
				return err
			}
		}
		return nil
	})
	far := func() wire.ClusterOrders {
		t.Helper()
		w.settle()
		return w.zone.ClusterOrders
	}
	o := far()
	if got := o.Groups[group].Far; !slices.Equal(got, []netip.Addr{netip.MustParseAddr("172.31.16.4")}) {
		t.Errorf("the default group allows itself; its members elsewhere: %v", got)
	}
	if got := o.Groups["sg-00000000000000009"].Far; len(got) > 0 {
		t.Errorf("no rule names this group, and the zone is told of its members: %v", got)
	}
	w.tx(func(tx *store.Tx) error { there.Want = wire.Gone; return tx.Put(there) })
	if got := far().Groups[group].Far; len(got) > 0 {
		t.Errorf("wished gone, and still a member: %v", got)
	}
}
