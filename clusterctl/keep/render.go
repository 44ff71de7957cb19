package keep

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"karri/shared/id"
	"karri/shared/wire"
)

// zone is all that the orders of a node are made of.
type zone struct {
	orders wire.ClusterOrders
	node   map[id.Instance]string // where each instance is placed
	links  map[string]wire.Link

	members map[id.Group][]netip.Prefix // what membersOf returns
}

// render returns the orders of one node: the instances placed on it, their
// networks, the rules of their interfaces with group references turned into
// addresses, and the way to the rest of their networks. It is pure.
func (z zone) render(node string) wire.NodeOrders {
	o := wire.NodeOrders{
		Instances: map[id.Instance]wire.Instance{}, Networks: map[id.VPC]wire.Network{},
		Firewalls: map[id.Interface]wire.Firewall{}, Remotes: map[id.Interface]wire.Remote{}, Links: z.links,
	}
	for i, w := range z.orders.Instances {
		if z.node[i] != node {
			continue
		}
		o.Instances[i] = w
		for _, e := range w.Interfaces {
			if n, ok := z.orders.Networks[e.VPC]; ok {
				o.Networks[e.VPC] = n
			}
			o.Firewalls[e.ID] = z.firewall(e)
		}
	}
	for i, w := range z.orders.Instances {
		at := z.node[i]
		if at == node || at == "" || w.Want == wire.Gone {
			continue
		}
		for _, e := range w.Interfaces {
			if _, near := o.Networks[e.VPC]; near {
				o.Remotes[e.ID] = wire.Remote{VPC: e.VPC, Address: e.Address, Node: at}
			}
		}
	}
	return o
}

// membersOf returns the addresses of each group's members, in order, those in
// other zones included.
func (z zone) membersOf() map[id.Group][]netip.Prefix {
	m := map[id.Group][]netip.Prefix{}
	for g, w := range z.orders.Groups {
		for _, a := range w.Far {
			m[g] = append(m[g], netip.PrefixFrom(a, a.BitLen()))
		}
	}
	for _, w := range z.orders.Instances {
		if w.Want == wire.Gone {
			continue
		}
		for _, e := range w.Interfaces {
			for _, g := range e.Groups {
				m[g] = append(m[g], netip.PrefixFrom(e.Address, e.Address.BitLen()))
			}
		}
	}
	for g := range m {
		slices.SortFunc(m[g], comparePrefix)
		m[g] = slices.Compact(m[g])
	}
	return m
}

func comparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// firewall joins the rules of an interface's groups.
func (z zone) firewall(e wire.Interface) wire.Firewall {
	var in, out []wire.Rule
	for _, g := range e.Groups {
		in, out = append(in, z.orders.Groups[g].Ingress...), append(out, z.orders.Groups[g].Egress...)
	}
	return wire.Firewall{In: flatten(in, z.members), Out: flatten(out, z.members)}
}

// flatten gathers the peers of equal rules. A group without members allows
// nobody, so it leaves nothing.
func flatten(rules []wire.Rule, members map[id.Group][]netip.Prefix) []wire.FlatRule {
	type ports struct {
		protocol string
		from, to int
	}
	peers := map[ports][]netip.Prefix{}
	for _, r := range rules {
		p := ports{r.Protocol, r.From, r.To}
		if r.Group != "" {
			peers[p] = append(peers[p], members[r.Group]...)
		} else {
			peers[p] = append(peers[p], r.CIDR.Masked())
		}
	}
	flat := []wire.FlatRule{}
	for _, p := range slices.SortedFunc(maps.Keys(peers), func(a, b ports) int {
		return cmp.Or(cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	}) {
		who := peers[p]
		slices.SortFunc(who, comparePrefix)
		if who = slices.Compact(who); len(who) > 0 {
			flat = append(flat, wire.FlatRule{Protocol: p.protocol, From: p.from, To: p.to, Peers: who})
		}
	}
	return flat
}
