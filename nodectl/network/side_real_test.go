//go:build real

package network

import (
	"net/netip"
	"testing"

	"karri/shared/id"
	"karri/shared/wire"
)

// Two clouds share a machine: neither is in the other's way, and the end of
// one leaves the other whole. The machine forwards as long as one is there.
func TestTwoCloudsSideBySide(t *testing.T) {
	l := newLab(t)
	must(t, l.nets[0].Close())
	host := l.hosts[0]
	transits := []string{"100.64.0.0/16", "100.65.0.0/16"}
	var guests []*guest
	for i, transit := range transits {
		n, err := newIn(l.hosts[0], Options{Cloud: clouds(i), Node: "host0", State: t.TempDir(), Transit: netip.MustParsePrefix(transit), Uplink: "eth0", Resolvers: "/dev/null"})
		must(t, err)
		l.nets[0] = n
		l.guests = map[string]*guest{} // the same ids in both
		l.orders[0] = wire.NodeOrders{Instances: map[id.Instance]wire.Instance{}, Networks: map[id.VPC]wire.Network{}, Firewalls: map[id.Interface]wire.Firewall{}, Remotes: map[id.Interface]wire.Remote{}}
		g := l.order([]string{"a", "b"}[i], 0, "aa", 101, "10.0.0.11", []string{"10.77.0.201", "10.77.0.202"}[i], pingIn)
		_, err = n.Sync(t.Context(), 1, l.orders[0])
		must(t, err)
		l.boot(g, false)
		guests = append(guests, g)
	}
	l.nets[0] = nil
	both := func(a, b bool) {
		t.Helper()
		for address, reached := range map[string]bool{"10.77.0.201": a, "10.77.0.202": b} {
			if reached && !l.pings(l.world, address) || !reached && !l.silent(l.world, address) {
				t.Errorf("%s: want it reached: %v", address, reached)
			}
		}
	}
	both(true, true)
	if !l.pings(guests[0].space, "10.77.0.202") {
		t.Error("no way from one cloud to the public address of another")
	}
	must(t, purgeIn(t.Context(), host, clouds(0)))
	both(false, true)
	must(t, purgeIn(t.Context(), host, clouds(1)))
	both(false, false)
	if v, _ := host.Setting("net.ipv4.ip_forward"); v != "0" {
		t.Error("the machine still forwards")
	}
}
