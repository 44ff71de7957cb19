package network

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"karri/shared/id"
	"karri/shared/wire"
)

// Explain tells, in a line per fact, where the interfaces of an instance stand
// and what the rules of their router have refused.
func (n *Network) Explain(ctx context.Context, i id.Instance) []string {
	places, gen := n.placesOf(i)
	var lines []string
	if len(places) == 0 {
		return []string{"network: no interface is known here"}
	}
	lines = append(lines, fmt.Sprintf("network: rules of generation %d are in force", gen))
	for _, p := range places {
		f := p.Interface
		lines = append(lines, fmt.Sprintf("%s: tap %s in router %s, %s, %s, %d rules in, %d out", f.ID, n.Tap(f.ID), RouterName(n.opt.Cloud, f.VPC), f.MAC, f.Address, len(p.Firewall.In), len(p.Firewall.Out)))
		if f.Public.IsValid() {
			lines = append(lines, fmt.Sprintf("%s: reached by %s", f.ID, f.Public))
		}
		ok, err := n.Plugged(ctx, i, wire.Instance{Interfaces: []wire.Interface{f}})
		switch {
		case err != nil:
			lines = append(lines, fmt.Sprintf("%s: cannot be looked at: %v", f.ID, err))
		case !ok:
			lines = append(lines, fmt.Sprintf("%s: not plugged", f.ID))
		}
		if t, err := n.Refused(ctx, f.VPC); err == nil {
			lines = append(lines, fmt.Sprintf("%s: packets refused by the router since its rules were loaded: %d spoofed, %d entering, %d leaving, %d to the router", f.VPC, t["spoofed"], t["refused_in"], t["refused_out"], t["refused_here"]))
		}
	}
	return lines
}

func (n *Network) placesOf(i id.Instance) (ps []place, gen uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, eni := range slices.Sorted(maps.Keys(n.places)) {
		if p := n.places[eni]; p.Instance == i {
			ps = append(ps, p)
		}
	}
	return ps, n.gen
}
