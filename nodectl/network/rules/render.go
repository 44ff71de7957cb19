package rules

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Render returns the text that `nft -f -` loads in the router's namespace. The
// error names what was left out; the text is whole without it.
func Render(r Router) (string, error) {
	r, err := r.Sound()
	var b strings.Builder
	b.WriteString("add table inet " + Table + "\ndelete table inet " + Table + "\n")
	b.WriteString("table inet " + Table + " {\n")
	writeSets(&b, r)
	b.WriteString(fixed)
	for _, t := range r.Taps {
		writeChain(&b, "out-"+t.Name, "ct original ip daddr", t.Out, "return", "refused_out")
		writeChain(&b, "in-"+t.Name, "ip saddr", t.In, "accept", "refused_in")
	}
	b.WriteString("}\n")
	b.WriteString("add table arp " + Table + "\ndelete table arp " + Table + "\n")
	b.WriteString("table arp " + Table + " {\n")
	writeARP(&b, r)
	b.WriteString("}\n")
	return b.String(), err
}

func writeSets(b *strings.Builder, r Router) {
	var inside, taps, checked, unchecked, macs, gateways, remotes, public, inbound, outbound, leave, enter []string
	for _, t := range r.Taps {
		name := `"` + t.Name + `"`
		taps = append(taps, name)
		macs = append(macs, name+" . "+t.MAC)
		if t.SourceCheck {
			checked = append(checked, name+" . "+t.MAC+" . "+t.Address.String())
		} else {
			unchecked = append(unchecked, name+" . "+t.MAC)
		}
		leave = append(leave, name+" : jump out-"+t.Name)
		enter = append(enter, name+" : goto in-"+t.Name)
		if t.Public.IsValid() {
			public = append(public, t.Public.String())
			inbound = append(inbound, t.Public.String()+" : "+t.Address.String())
			outbound = append(outbound, t.Address.String()+" : "+t.Public.String())
		}
	}
	gateways = append(addresses(r.Gateways), Metadata)
	remotes = addresses(r.Remotes)
	write := func(kind, name, typ string, elements []string) {
		fmt.Fprintf(b, "\t%s %s {\n\t\ttype %s\n", kind, name, typ)
		if len(elements) > 0 {
			fmt.Fprintf(b, "\t\telements = { %s }\n", strings.Join(elements, ",\n\t\t\t"))
		}
		b.WriteString("\t}\n")
	}
	write("set", "taps", "ifname", taps)
	write("set", "macs", "ifname . ether_addr", macs)
	write("set", "checked", "ifname . ether_addr . ipv4_addr", checked)
	write("set", "unchecked", "ifname . ether_addr", unchecked)
	write("set", "gateways", "ipv4_addr", gateways)
	write("set", "remotes", "ipv4_addr", remotes)
	for _, p := range apart(r.Inside) {
		inside = append(inside, p.String())
	}
	write("set", "inside", "ipv4_addr\n\t\tflags interval", inside)
	write("set", "public", "ipv4_addr", public)
	write("map", "inbound", "ipv4_addr : ipv4_addr", inbound)
	write("map", "outbound", "ipv4_addr : ipv4_addr", outbound)
	write("map", "leave", "ifname : verdict", leave)
	write("map", "enter", "ifname : verdict", enter)
}

func addresses(as []netip.Addr) []string {
	as = slices.Clone(as)
	slices.SortFunc(as, netip.Addr.Compare)
	var out []string
	for _, a := range slices.Compact(as) {
		if a.Is4() && ordinary(a) {
			out = append(out, a.String())
		}
	}
	return out
}

// fixed is the part that is the same in every router. Chains that the maps
// name are defined after their use, which nft allows within one table.
const fixed = `	counter spoofed { }
	counter refused_in { }
	counter refused_out { }
	counter refused_here { }
	chain source {
		type filter hook prerouting priority raw; policy drop;
		meta nfproto ipv6 drop
		iifname "lo" accept
		iifname "up0" accept
		iifname "vx0" ip saddr @remotes accept
		iifname @taps goto guest
	}
	chain guest {
		ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 iifname . ether saddr @macs accept
		udp sport 67 counter name spoofed drop
		iifname . ether saddr . ip saddr @checked accept
		ip saddr != 0.0.0.0 iifname . ether saddr @unchecked accept
		counter name spoofed drop
	}
	chain here {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		iifname @taps udp dport 67 accept
		iifname @taps ip daddr @gateways udp dport 53 accept
		iifname @taps ip daddr @gateways tcp dport 53 accept
		iifname @taps ip daddr 169.254.169.254 tcp dport 80 accept
		iifname @taps ip daddr @gateways icmp type echo-request accept
		ct state established,related accept
		counter name refused_here drop
	}
	chain through {
		type filter hook forward priority filter; policy drop;
		tcp flags syn tcp option maxseg size set rt mtu
		ct state invalid drop
		ct state established,related accept
		ip daddr 169.254.0.0/16 drop
		oifname "up0" ip daddr @inside drop
		iifname "up0" ct original ip daddr != @public drop
		iifname vmap @leave
		oifname vmap @enter
		iifname @taps oifname { "vx0", "up0" } accept
	}
	chain arrive {
		type nat hook prerouting priority dstnat; policy accept;
		dnat ip to ip daddr map @inbound
	}
	chain depart {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "up0" snat ip to ip saddr map @outbound
		oifname "up0" masquerade
		ct status dnat iifname @taps snat ip to ip saddr map @outbound
	}
`

// writeChain writes one direction of one tap. field is the packet's side that
// peers are compared with: for leaving, the address that the guest asked for,
// before a public one is translated.
func writeChain(b *strings.Builder, name, field string, allow []Allow, verdict, counter string) {
	fmt.Fprintf(b, "\tchain %s {\n", name)
	lines := map[string]bool{}
	for _, a := range allow {
		if l, ok := a.line(field, verdict); ok && !lines[l] {
			lines[l] = true
			b.WriteString("\t\t" + l + "\n")
		}
	}
	fmt.Fprintf(b, "\t\tcounter name %s drop\n\t}\n", counter)
}

// line writes one rule, or reports false for one that can match nothing.
func (a Allow) line(field, verdict string) (string, bool) {
	peers := a.peers()
	proto, ok := a.normal()
	if !ok || len(peers) == 0 {
		return "", false
	}
	var words []string
	if peers[0].Bits() != 0 {
		set := make([]string, len(peers))
		for i, p := range peers {
			set[i] = p.String()
		}
		words = append(words, field+" { "+strings.Join(set, ", ")+" }")
	}
	switch proto {
	case "all":
	case "tcp", "udp":
		from, to, ok := a.ports()
		switch {
		case !ok:
			return "", false
		case from == 0 && to == 65535:
			words = append(words, "meta l4proto "+proto)
		case from == to:
			words = append(words, fmt.Sprintf("%s dport %d", proto, from))
		default:
			words = append(words, fmt.Sprintf("%s dport %d-%d", proto, from, to))
		}
	case "icmp":
		words = append(words, "meta l4proto icmp")
		if a.From < -1 || a.From > 255 || a.To < -1 || a.To > 255 {
			return "", false
		}
		if a.From >= 0 {
			words = append(words, fmt.Sprintf("icmp type %d", a.From))
			if a.To >= 0 {
				words = append(words, fmt.Sprintf("icmp code %d", a.To))
			}
		}
	default:
		words = append(words, "meta l4proto "+proto)
	}
	return strings.Join(append(words, verdict), " "), true
}

func writeARP(b *strings.Builder, r Router) {
	var owners, probers []string
	for _, t := range r.Taps {
		owners = append(owners, fmt.Sprintf(`"%s" . %s . %s`, t.Name, t.Address, t.MAC))
		probers = append(probers, fmt.Sprintf(`"%s" . 0.0.0.0 . %s`, t.Name, t.MAC))
	}
	b.WriteString("\tset owners {\n\t\ttype ifname . ipv4_addr . ether_addr\n")
	if all := append(owners, probers...); len(all) > 0 {
		fmt.Fprintf(b, "\t\telements = { %s }\n", strings.Join(all, ",\n\t\t\t"))
	}
	b.WriteString("\t}\n\tcounter spoofed { }\n\tchain source {\n\t\ttype filter hook input priority filter; policy drop;\n" +
		"\t\tiifname \"up0\" accept\n\t\tiifname . arp saddr ip . arp saddr ether @owners accept\n\t\tcounter name spoofed drop\n\t}\n")
}
