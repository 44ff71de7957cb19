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

const icmp = 1

// A Judge says of standing connections whether the rules still allow them. The
// kernel asks the rules only for a connection's first packet; a rule that was
// revoked would otherwise live as long as what it let in.
type Judge struct {
	taps     map[netip.Addr]Tap
	gateways map[netip.Addr]bool
	transit  netip.Addr
}

// NewJudge returns the judge of a router's rules.
func NewJudge(r Router) Judge {
	r, _ = r.Sound()
	j := Judge{taps: map[netip.Addr]Tap{}, gateways: map[netip.Addr]bool{netip.MustParseAddr(Metadata): true}, transit: r.Transit}
	for _, t := range r.Taps {
		j.taps[t.Address] = t
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
	from, leaves := j.taps[f.Source.Addr()]
	to, enters := j.taps[f.Answerer.Addr()]
	if !leaves && !enters {
		return false
	}
	if f.Target.Addr() != f.Answerer.Addr() && (!enters || to.Public != f.Target.Addr()) {
		return false // came by a public address that has moved
	}
	if f.Returns.Addr() != f.Source.Addr() && !j.translated(from, leaves, f) {
		return false
	}
	if leaves && !pass(from.Out, f.Protocol, f.Target.Addr(), f.Target.Port()) {
		return false
	}
	return !enters || pass(to.In, f.Protocol, f.Source.Addr(), f.Answerer.Port())
}

// translated reports whether a flow goes out by the address that it would be
// given now.
func (j Judge) translated(from Tap, leaves bool, f Flow) bool {
	if !leaves {
		return false
	}
	if from.Public.IsValid() {
		return f.Returns.Addr() == from.Public
	}
	return f.Returns.Addr() == j.transit
}

func pass(allow []Allow, protocol uint8, peer netip.Addr, port uint16) bool {
	for _, a := range allow {
		if a.covers(protocol, port) && containsAddr(a.peers(), peer) {
			return true
		}
	}
	return false
}

func (a Allow) covers(protocol uint8, port uint16) bool {
	name, ok := a.normal()
	if !ok || name == "all" {
		return ok
	}
	if n, known := numbers[name]; known {
		if n != protocol {
			return false
		}
		if n == icmp {
			return a.From == -1
		}
		from, to, ok := a.ports()
		return ok && from <= int(port) && int(port) <= to
	}
	return name == strconv.Itoa(int(protocol))
}

var numbers = map[string]uint8{"icmp": icmp, "tcp": 6, "udp": 17}

func containsAddr(ps []netip.Prefix, a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
