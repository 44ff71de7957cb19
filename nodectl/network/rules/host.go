package rules

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A Host is what the machine itself must do for its routers: let their guests
// out, let the world in to public addresses, and keep guests from the machine.
type Host struct {
	Cloud   string           // in the table's name
	Devices string           // what the host's ends of the routers' uplinks begin with
	Transit netip.Prefix     // the routers' own addresses, masqueraded on the way out
	Public  []netip.Addr     // of the guests here
	Uplink  string           // where Public is announced and needs no masquerading; empty: nowhere
	Hosts   []netip.Addr     // machines of the cloud, which no guest may speak to
	Allow   []netip.AddrPort // except to these, by TCP
	Note    string           // kept with the table, for who removes it
}

// HostTable names the table of a cloud in the host's own namespace.
func HostTable(cloud string) string { return "karri_" + cloud }

// RenderHost returns the text that `nft -f -` loads in the host's namespace.
func RenderHost(h Host) string {
	name := HostTable(h.Cloud)
	var allow []string
	for _, a := range h.Allow {
		if a.Addr().Is4() {
			allow = append(allow, fmt.Sprintf("%s . %d", a.Addr(), a.Port()))
		}
	}
	slices.Sort(allow)
	elements := func(es []string) string {
		if es = slices.Compact(es); len(es) == 0 {
			return ""
		}
		return "\t\telements = { " + strings.Join(es, ",\n\t\t\t") + " }\n"
	}
	public := "ip saddr @public masquerade"
	if h.Uplink != "" {
		public = `oifname != "` + h.Uplink + `" ` + public
	}
	return strings.NewReplacer("NAME", name, "NOTE", h.Note, "DEVICES", `"`+h.Devices+`*"`, "TRANSIT", h.Transit.Masked().String(),
		"PUBLIC_ELEMENTS", elements(addresses(h.Public)), "HOST_ELEMENTS", elements(addresses(h.Hosts)),
		"ALLOWED_ELEMENTS", elements(allow), "MASQUERADE_PUBLIC", public).Replace(hostText)
}

const hostText = `add table ip NAME
delete table ip NAME
table ip NAME {
	comment "NOTE"
	set public {
		type ipv4_addr
PUBLIC_ELEMENTS	}
	set hosts {
		type ipv4_addr
HOST_ELEMENTS	}
	set allowed {
		type ipv4_addr . inet_service
ALLOWED_ELEMENTS	}
	chain here {
		type filter hook input priority filter - 10; policy accept;
		iifname DEVICES goto guests
	}
	chain guests {
		ct state established,related accept
		ip daddr . tcp dport @allowed accept
		counter drop
	}
	chain through {
		type filter hook forward priority filter - 10; policy accept;
		iifname DEVICES jump leaving
		oifname DEVICES jump arriving
	}
	chain leaving {
		ip saddr != TRANSIT ip saddr != @public counter drop
		tcp flags syn tcp option maxseg size set rt mtu
		ct state established,related return
		ip daddr . tcp dport @allowed return
		ip daddr @hosts counter drop
		ip daddr { TRANSIT, 169.254.0.0/16 } counter drop
	}
	chain arriving {
		tcp flags syn tcp option maxseg size set rt mtu
		ct state established,related return
		ip daddr @public return
		counter drop
	}
	chain depart {
		type nat hook postrouting priority srcnat; policy accept;
		oifname DEVICES accept
		ip saddr TRANSIT masquerade
		MASQUERADE_PUBLIC
	}
}
`
