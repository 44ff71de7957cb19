package rules

import (
	"net/netip"
	"strconv"
)

// A Flow is a standing connection, as the kernel tracks it: who began it, whom
// it asked for, who answers after translation, and whom the answers are for.
type Flow struct {
	Protocol uint8
	Source   netip.AddrPort
	Target   netip.AddrPort
	Answerer netip.AddrPort
	Returns  netip.AddrPort
}

// A Judge says of standing connections whether the rules still allow them. The
// kernel asks the rules only for a connection's first packet; a rule that was
// revoked would otherwise live as long as what it let in.
type Judge struct {
	guests   map[netip.Addr]guest
	gateways map[netip.Addr]bool
	transit  netip.Addr
}

type guest struct {
	public  netip.Addr
	in, out []clause
}

// NewJudge returns the judge of a router's rules.
func NewJudge(r Router) Judge {
	r, _ = r.Sound()
	j := Judge{guests: map[netip.Addr]guest{}, gateways: map[netip.Addr]bool{netip.MustParseAddr(Metadata): true}, transit: r.Transit}
	for _, t := range r.Taps {
		j.guests[t.Address] = guest{public: t.Public, in: clauses(t.In), out: clauses(t.Out)}
	}
	for _, g := range r.Gateways {
		j.gateways[g] = true
	}
	return j
}

// Allows reports whether the flow would pass if it began now. An ICMP flow of
// which the rules allow only some types is not recognised: it has no state to
// lose, and the next request begins it anew.
func (j Judge) Allows(f Flow) bool {
	if j.gateways[f.Answerer.Addr()] || j.gateways[f.Source.Addr()] {
		return true // the router's own services, which no group governs
	}
	from, leaves := j.guests[f.Source.Addr()]
	to, enters := j.guests[f.Answerer.Addr()]
	if !leaves && !enters {
		return false
	}
	if f.Target.Addr() != f.Answerer.Addr() && (!enters || to.public != f.Target.Addr()) {
		return false // came by a public address that has moved
	}
	if f.Returns.Addr() != f.Source.Addr() && !j.translated(from, leaves, f) {
		return false
	}
	if leaves && !pass(from.out, f.Protocol, f.Target.Addr(), f.Target.Port()) {
		return false
	}
	return !enters || pass(to.in, f.Protocol, f.Source.Addr(), f.Answerer.Port())
}

// translated reports whether a flow goes out by the address that it would be
// given now.
func (j Judge) translated(from guest, leaves bool, f Flow) bool {
	if !leaves {
		return false
	}
	if from.public.IsValid() {
		return f.Returns.Addr() == from.public
	}
	return f.Returns.Addr() == j.transit
}

// A clause is an Allow made ready to be asked often.
type clause struct {
	protocol int // -1: all
	from, to int // ports
	peers    []netip.Prefix
}

const icmp = 1

var numbers = map[string]int{"all": -1, "icmp": icmp, "tcp": 6, "udp": 17}

func clauses(allow []Allow) []clause {
	var cs []clause
	for _, a := range allow {
		name, ok := a.normal()
		c := clause{from: 0, to: 65535, peers: a.peers()}
		n, named := numbers[name]
		switch {
		case !ok:
			continue
		case !named:
			c.protocol, _ = strconv.Atoi(name)
		case n == icmp:
			if c.protocol = n; a.From != -1 {
				continue
			}
		case n == -1:
			c.protocol = n
		default:
			c.protocol = n
			if c.from, c.to, ok = a.ports(); !ok {
				continue
			}
		}
		cs = append(cs, c)
	}
	return cs
}

func pass(cs []clause, protocol uint8, peer netip.Addr, port uint16) bool {
	for _, c := range cs {
		if (c.protocol == -1 || c.protocol == int(protocol)) && c.from <= int(port) && int(port) <= c.to && holds(c.peers, peer) {
			return true
		}
	}
	return false
}

func holds(ps []netip.Prefix, a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
