//go:build real

package network

import (
	"maps"
	"net/netip"
	"strings"
	"testing"

	"karri/shared/fault"
	"karri/shared/link"
	"karri/shared/wire"
)

func TestTwoHostsTwoNetworksOneAddressRange(t *testing.T) {
	l := newLab(t)
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "", pingIn, tcpIn(22, "0.0.0.0/0"))
	b := l.order("b", 1, "aa", 101, "10.0.0.12", "", pingIn, tcpIn(22, "0.0.0.0/0"))
	x := l.order("x", 0, "bb", 102, "10.0.0.11", "", pingIn, tcpIn(22, "0.0.0.0/0"))
	y := l.order("y", 1, "bb", 102, "10.0.0.12", "", pingIn, tcpIn(22, "0.0.0.0/0"))
	z := l.order("z", 1, "bb", 102, "10.0.0.13", "", pingIn)
	l.sync()
	for _, g := range []*guest{a, b, x, y, z} {
		l.boot(g, false)
		l.serve(g.space, g.name, "0.0.0.0:22")
		l.serve(g.space, g.name, "0.0.0.0:23")
	}
	for _, g := range []*guest{a, x} {
		if !l.pings(g.space, "10.0.0.12") {
			t.Errorf("%s: no ping across", g.name)
		}
	}
	l.mustCall(a.space, "10.0.0.12:22", "b 10.0.0.11")
	l.mustCall(x.space, "10.0.0.12:22", "y 10.0.0.11")
	l.mustNotCall(a.space, "10.0.0.12:23")
	l.mustNotCall(a.space, "10.0.0.13:22") // there is such a one in the other network
	if !l.silent(a.space, "10.0.0.13") || !l.pings(x.space, "10.0.0.13") || !l.pings(y.space, "10.0.0.13") {
		t.Error("10.0.0.13 is in the second network only")
	}
	// the metadata service knows who asks
	for _, g := range []*guest{a, y} {
		out, err := l.out(g.space, "curl -s -m 3 http://169.254.169.254/")
		if want := g.iface.Address.String() + ":"; err != nil || !strings.HasPrefix(out, []string{"host0 ", "host1 "}[g.host]+string(g.iface.VPC)) || !strings.Contains(out, want) {
			t.Errorf("metadata of %s: %q %v", g.name, out, err)
		}
	}
	// neither host nor router have more to offer
	l.serve(l.hosts[0], "host", "0.0.0.0:2222")
	for _, to := range []string{"10.77.0.11:2222", "100.64.0.1:2222", "10.0.0.1:22", "169.254.0.2:22", "10.77.0.12:22"} {
		l.mustNotCall(a.space, to)
	}
	l.mustCall(l.world, "10.77.0.11:2222", "host 10.77.0.1")
}

func TestPublicAddressesInOutAndAround(t *testing.T) {
	l := newLab(t)
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "10.77.0.201", tcpIn(22, "0.0.0.0/0"))
	b := l.order("b", 0, "aa", 101, "10.0.0.12", "10.77.0.202", tcpIn(22, "0.0.0.0/0"))
	c := l.order("c", 1, "aa", 101, "10.0.0.13", "", tcpIn(22, "0.0.0.0/0"))
	d := l.order("d", 1, "bb", 102, "10.0.0.11", "10.77.0.203", tcpIn(22, "0.0.0.0/0"))
	l.sync()
	for _, g := range []*guest{a, b, c, d} {
		l.boot(g, false)
		l.serve(g.space, g.name, "0.0.0.0:22")
		l.serve(g.space, g.name, "0.0.0.0:23")
	}
	l.serve(l.world, "world", "10.77.0.1:80")
	l.mustCall(l.world, "10.77.0.201:22", "a 10.77.0.1")
	l.mustNotCall(l.world, "10.77.0.201:23")
	l.mustCall(l.hosts[0], "10.77.0.201:22", "a 100.64.0.1") // as ssh from a cloud's only machine
	l.mustCall(a.space, "10.77.0.1:80", "world 10.77.0.201")
	l.mustCall(c.space, "10.77.0.1:80", "world 10.77.0.12") // no address of its own: its host's
	l.mustCall(a.space, "10.77.0.202:22", "b 10.77.0.201")  // the neighbour by its public address
	l.mustCall(a.space, "10.77.0.201:22", "a 10.77.0.201")  // itself
	l.mustCall(c.space, "10.77.0.201:22", "a 10.77.0.12")   // from the other host
	l.mustCall(a.space, "10.77.0.203:22", "d 10.77.0.201")  // into another network
	l.mustNotCall(l.world, "10.77.0.203:23")
	// an address of the VPC that nobody has is not sought outside
	must(t, l.sh(l.world, "ip addr add 10.0.0.99/32 dev ul0 && ip route add 10.0.0.0/24 dev ul0"))
	l.serve(l.world, "outside", "10.0.0.99:80")
	l.mustNotCall(a.space, "10.0.0.99:80")

	// someone else clears the rules of the host
	must(t, l.sh(l.hosts[1], "nft flush ruleset"))
	l.sync()
	l.mustCall(c.space, "10.77.0.1:80", "world 10.77.0.12")

	// the address moves to the other host, and standing connections end
	standing, err := l.dial(l.world, "10.77.0.201:22")
	must(t, err)
	defer standing.Close()
	if _, err := ask(standing, "x"); err != nil {
		t.Fatal(err)
	}
	w := l.orders[0].Instances[a.id]
	w.Interfaces[0].Public = netip.Addr{}
	w2 := l.orders[1].Instances[c.id]
	w2.Interfaces[0].Public = netip.MustParseAddr("10.77.0.201")
	l.sync()
	l.mustCall(l.world, "10.77.0.201:22", "c 10.77.0.1")
	if got, err := ask(standing, "y"); err == nil {
		t.Errorf("the connection outlived its address: %q", got)
	}
	l.mustCall(a.space, "10.77.0.1:80", "world 10.77.0.11")
	l.mustCall(a.space, "10.77.0.201:22", "c 10.77.0.11")
}

func TestRevokedRuleCutsStandingConnectionsAndNoOthers(t *testing.T) {
	l := newLab(t)
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "")
	b := l.order("b", 1, "aa", 101, "10.0.0.12", "", tcpIn(22, "10.0.0.11/32"), tcpIn(80, "10.0.0.11/32"), pingIn)
	c := l.order("c", 1, "aa", 101, "10.0.0.13", "", tcpIn(22, "0.0.0.0/0"))
	l.sync()
	for _, g := range []*guest{a, b, c} {
		l.boot(g, false)
	}
	for _, g := range []*guest{b, c} {
		l.serve(g.space, g.name, "0.0.0.0:22")
		l.serve(g.space, g.name, "0.0.0.0:80")
	}
	conns := map[string]interface {
		ask(string) (string, error)
	}{}
	for _, to := range []string{"10.0.0.12:22", "10.0.0.12:80", "10.0.0.13:22"} {
		k, err := l.dial(a.space, to)
		must(t, err)
		defer k.Close()
		conns[to] = asker(func(s string) (string, error) { return ask(k, s) })
		if _, err := conns[to].ask("x"); err != nil {
			t.Fatal(err)
		}
	}
	l.orders[1].Firewalls[b.iface.ID] = wire.Firewall{In: []wire.FlatRule{tcpIn(80, "10.0.0.11/32"), pingIn}, Out: allOut}
	l.sync()
	if got, err := conns["10.0.0.12:22"].ask("y"); err == nil {
		t.Errorf("a revoked connection lives: %q", got)
	}
	for _, to := range []string{"10.0.0.12:80", "10.0.0.13:22"} {
		if _, err := conns[to].ask("y"); err != nil {
			t.Errorf("%s was cut: %v", to, err)
		}
	}
	l.mustNotCall(a.space, "10.0.0.12:22")
	l.mustCall(a.space, "10.0.0.12:80", "b 10.0.0.11")
	if !l.pings(a.space, "10.0.0.12") {
		t.Error("ping was cut")
	}
	// egress too
	l.orders[0].Firewalls[a.iface.ID] = wire.Firewall{Out: []wire.FlatRule{tcpIn(22, "0.0.0.0/0")}}
	l.sync()
	if got, err := conns["10.0.0.12:80"].ask("z"); err == nil {
		t.Errorf("a connection that may not leave lives: %q", got)
	}
	if _, err := conns["10.0.0.13:22"].ask("z"); err != nil {
		t.Error(err)
	}
	if out, err := l.out(a.space, "curl -s -m 3 http://169.254.169.254/"); err != nil {
		t.Error("metadata is not bound to egress rules:", out, err)
	}
}

type asker func(string) (string, error)

func (a asker) ask(s string) (string, error) { return a(s) }

func TestRestartedDaemonFindsAndCutsNothing(t *testing.T) {
	l := newLab(t)
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "10.77.0.201", tcpIn(22, "0.0.0.0/0"))
	b := l.order("b", 1, "aa", 101, "10.0.0.12", "", tcpIn(22, "0.0.0.0/0"))
	l.sync()
	l.boot(a, false)
	l.boot(b, false)
	l.serve(a.space, "a", "0.0.0.0:22")
	l.serve(b.space, "b", "0.0.0.0:22")
	across, err := l.dial(a.space, "10.0.0.12:22")
	must(t, err)
	defer across.Close()
	in, err := l.dial(l.world, "10.77.0.201:22")
	must(t, err)
	defer in.Close()
	standing := func(when string) {
		t.Helper()
		for name, c := range map[string]interface{ ask(string) (string, error) }{
			"across": asker(func(s string) (string, error) { return ask(across, s) }),
			"in":     asker(func(s string) (string, error) { return ask(in, s) }),
		} {
			if _, err := c.ask("x"); err != nil {
				t.Errorf("%s: %s: %v", when, name, err)
			}
		}
	}
	standing("before")
	must(t, l.nets[0].Close())
	standing("with the daemon away")
	l.start(0)
	standing("begun again")
	l.sync()
	standing("synced again")
	if ok, err := l.nets[0].Plugged(t.Context(), a.id, l.orders[0].Instances[a.id]); !ok || err != nil {
		t.Error("not adopted:", err)
	}
	if lines := strings.Join(l.nets[0].Explain(t.Context(), a.id), "\n"); !strings.Contains(lines, "reached by 10.77.0.201") || strings.Contains(lines, "not plugged") || !strings.Contains(lines, "0 spoofed") {
		t.Error(lines)
	}
	// no order names it any more: it goes on, behind its last rules
	must(t, l.nets[0].Close())
	was := l.orders[0]
	l.orders[0] = wire.NodeOrders{Links: was.Links, Remotes: was.Remotes}
	l.start(0)
	l.sync()
	standing("stray")
	l.mustCall(l.world, "10.77.0.201:22", "a 10.77.0.1")
	l.mustNotCall(l.world, "10.77.0.201:23")

	// gone: the router goes with its last tap
	must(t, l.nets[0].Unplug(t.Context(), a.id, wire.Instance{}))
	l.sync()
	l.mustBeEmpty(0)
}

func TestPurgeLeavesNothing(t *testing.T) {
	l := newLab(t)
	before, err := l.out(l.hosts[0], "ip -o link show | cut -d: -f2 && ip route && ip neigh show proxy && nft list ruleset && cat /proc/sys/net/ipv4/ip_forward")
	must(t, err)
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "10.77.0.201", pingIn)
	l.order("b", 0, "bb", 102, "10.0.0.11", "10.77.0.202")
	l.sync()
	l.boot(a, false)
	if !l.pings(l.world, "10.77.0.201") {
		t.Error("no ping")
	}
	if v, _ := l.hosts[0].Setting("net.ipv4.ip_forward"); v != "1" {
		t.Error("the host does not forward")
	}
	must(t, l.nets[0].Close())
	l.nets[0] = nil
	must(t, purgeIn(t.Context(), l.hosts[0], clouds(0)))
	must(t, purgeIn(t.Context(), l.hosts[0], clouds(0)))
	after, err := l.out(l.hosts[0], "ip -o link show | cut -d: -f2 && ip route && ip neigh show proxy && nft list ruleset && cat /proc/sys/net/ipv4/ip_forward")
	must(t, err)
	if before != after {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if names, _ := link.Names("k" + clouds(0) + "-"); len(names) > 0 {
		t.Error("left behind:", names)
	}
}

func TestBadRulesKeepTheOldOnesAndTheOldGeneration(t *testing.T) {
	l := newLab(t)
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "10.77.0.201", tcpIn(22, "0.0.0.0/0"))
	l.sync()
	l.boot(a, false)
	l.serve(a.space, "a", "0.0.0.0:22")
	l.mustCall(l.world, "10.77.0.201:22", "a 10.77.0.1")
	o := l.orders[0]
	o.Firewalls = maps.Clone(o.Firewalls)
	o.Firewalls[a.iface.ID] = wire.Firewall{}
	t.Setenv("PATH", t.TempDir()) // no nft
	gen, err := l.nets[0].Sync(t.Context(), l.gen+1, o)
	if err == nil || gen != l.gen {
		t.Errorf("in force: %d (%v), want %d and an error", gen, err, l.gen)
	}
	l.mustCall(l.world, "10.77.0.201:22", "a 10.77.0.1")
	if ok, _ := l.nets[0].Plugged(t.Context(), a.id, l.orders[0].Instances[a.id]); !ok {
		t.Error("unplugged")
	}
}

func TestAddressIsGivenOnlyWhenItsFormerHolderHasGone(t *testing.T) {
	l := newLab(t)
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "", pingIn)
	c := l.order("c", 0, "aa", 101, "10.0.0.13", "", pingIn)
	l.sync()
	l.boot(a, false)
	l.boot(c, false)
	w := l.orders[0].Instances[a.id]
	w.Want = wire.Gone
	l.orders[0].Instances[a.id] = w
	b := l.order("b", 0, "aa", 101, "10.0.0.11", "", pingIn)
	l.sync()
	b.space = l.space(spaceName("b"))
	must(t, l.hosts[0].AddVeth(l.nets[0].Tap(b.iface.ID), "eth0", b.space))
	err := l.nets[0].Plug(t.Context(), b.id, l.orders[0].Instances[b.id])
	if fault.CodeOf(err) != "AddressInUse" || fault.KindOf(err) != fault.Later {
		t.Fatal(err)
	}
	if !l.pings(a.space, "10.0.0.13") {
		t.Error("the one that is to go was cut before its end")
	}
	must(t, l.nets[0].Unplug(t.Context(), a.id, w))
	must(t, l.nets[0].Plug(t.Context(), b.id, l.orders[0].Instances[b.id]))
	must(t, l.sh(b.space, "ip link set eth0 address "+b.iface.MAC+" up && ip addr add 10.0.0.11/24 dev eth0 && ip route add default via 10.0.0.1"))
	if !l.pings(b.space, "10.0.0.13") {
		t.Error("the new holder has no network")
	}
}
