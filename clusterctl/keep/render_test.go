package keep

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"

	"karri/shared/id"
	"karri/shared/wire"
)

func TestRender(t *testing.T) {
	eni := func(n int, vpc id.VPC, groups ...id.Group) wire.Instance {
		return wire.Instance{Want: wire.Running, Interfaces: []wire.Interface{{ID: id.Interface(fmt.Sprint("eni-", n)), VPC: vpc,
			Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), Groups: groups}}}
	}
	gone := eni(4, "vpc-1", "sg-a")
	gone.Want = wire.Gone
	z := zone{links: map[string]wire.Link{"n1": {Index: 1}, "n2": {Index: 2}},
		node: map[id.Instance]string{"i-1": "n1", "i-2": "n2", "i-3": "n2", "i-4": "n2"},
		orders: wire.ClusterOrders{
			Instances: map[id.Instance]wire.Instance{"i-1": eni(1, "vpc-1", "sg-a", "sg-b"), "i-2": eni(2, "vpc-1", "sg-a"),
				"i-3": eni(3, "vpc-2", "sg-c"), "i-4": gone, "i-5": eni(5, "vpc-1", "sg-a")},
			Networks: map[id.VPC]wire.Network{"vpc-1": {VNI: 1}, "vpc-2": {VNI: 2}},
			Groups: map[id.Group]wire.Group{
				"sg-a": {Ingress: []wire.Rule{{Protocol: "tcp", From: 22, To: 22, CIDR: netip.MustParsePrefix("0.0.0.0/0")}, {Protocol: "-1", From: -1, To: -1, Group: "sg-a"}}},
				"sg-b": {Ingress: []wire.Rule{{Protocol: "tcp", From: 22, To: 22, CIDR: netip.MustParsePrefix("192.0.2.9/24")}, {Protocol: "udp", From: 1, To: 2, Group: "sg-empty"},
					{Protocol: "tcp", From: 5432, To: 5432, Group: "sg-far"}},
					Egress: []wire.Rule{{Protocol: "-1", From: -1, To: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")}}},
				"sg-far": {Far: []netip.Addr{netip.MustParseAddr("10.0.16.7")}},
			}}}
	z.members = z.membersOf()
	o := z.render("n1")
	p := netip.MustParsePrefix
	want := wire.Firewall{
		In: []wire.FlatRule{
			{Protocol: "-1", From: -1, To: -1, Peers: []netip.Prefix{p("10.0.0.1/32"), p("10.0.0.2/32"), p("10.0.0.5/32")}},
			{Protocol: "tcp", From: 22, To: 22, Peers: []netip.Prefix{p("0.0.0.0/0"), p("192.0.2.0/24")}},
			{Protocol: "tcp", From: 5432, To: 5432, Peers: []netip.Prefix{p("10.0.16.7/32")}},
		},
		Out: []wire.FlatRule{{Protocol: "-1", From: -1, To: -1, Peers: []netip.Prefix{p("0.0.0.0/0")}}},
	}
	if !reflect.DeepEqual(o.Firewalls, map[id.Interface]wire.Firewall{"eni-1": want}) {
		t.Errorf("rules %+v", o.Firewalls)
	}
	if !reflect.DeepEqual(o.Remotes, map[id.Interface]wire.Remote{"eni-2": {VPC: "vpc-1", Address: netip.MustParseAddr("10.0.0.2"), Node: "n2"}}) {
		t.Errorf("remotes %+v", o.Remotes)
	}
	if len(o.Instances) != 1 || len(o.Networks) != 1 || len(o.Links) != 2 {
		t.Errorf("%+v", o)
	}
	if n2 := z.render("n2"); len(n2.Instances) != 3 || len(n2.Networks) != 2 || len(n2.Remotes) != 1 {
		t.Errorf("%+v", n2)
	}
}

func TestAGroupIsAppliedWhenItsNodesSaySo(t *testing.T) {
	w := newWorld(t, 2)
	k := w.keeper()
	w.order(func(o *wire.ClusterOrders) {
		o.Groups["sg-1"], o.Groups["sg-2"] = wire.Group{VPC: "vpc-1"}, wire.Group{VPC: "vpc-1"}
		o.Instances["i-1"] = instance(1, wire.Running)
	})
	r := w.rounds(k)
	at := w.nodes[r.Instances["i-1"].Node]
	if r.Groups["sg-1"].Applied != w.gen || r.Groups["sg-2"].Applied != w.gen {
		t.Fatalf("generation %d: %+v", w.gen, r.Groups)
	}
	was := w.gen
	w.order(func(o *wire.ClusterOrders) {
		o.Groups["sg-1"] = wire.Group{VPC: "vpc-1", Ingress: []wire.Rule{{Protocol: "tcp", From: 22, To: 22, CIDR: netip.MustParsePrefix("0.0.0.0/0")}}}
	})
	at.SetDown(true) // the rule cannot get there
	if r = w.rounds(k); r.Groups["sg-1"].Applied != was || r.Groups["sg-2"].Applied != w.gen {
		t.Errorf("generation %d is in force where it is not: %+v", w.gen, r.Groups)
	}
	at.SetDown(false)
	if r = w.rounds(k); r.Groups["sg-1"].Applied != w.gen {
		t.Errorf("generation %d: %+v", w.gen, r.Groups)
	}
	// A generation that changes nothing for the node is in force at once.
	w.order(func(o *wire.ClusterOrders) { o.Groups["sg-2"] = wire.Group{VPC: "vpc-2"} })
	if r = w.rounds(k); r.Groups["sg-1"].Applied != w.gen {
		t.Errorf("generation %d: %+v", w.gen, r.Groups)
	}
}
