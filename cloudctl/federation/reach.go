package federation

import (
	"fmt"
	"net/netip"
	"slices"
)

// special are networks of addresses that are nobody's on the public Internet,
// or that lead to those of another network; netip knows the others.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // between a provider and its customers
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), // translated to IPv4
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("fec0::/10"),
}

// networks are those that the administrator lets issuers be in.
type networks struct{ allowed []netip.Prefix }

// Reach returns what Issuers.Reach is where issuers may be at public addresses
// and in the given networks.
func Reach(allowed []string) (func(address string) error, error) {
	n := &networks{}
	for _, text := range allowed {
		p, err := netip.ParsePrefix(text)
		if err != nil || p != p.Masked() {
			return nil, fmt.Errorf("%q is no network such as 10.20.0.0/16 or fd00:20::/32", text)
		}
		n.allowed = append(n.allowed, p)
	}
	return n.reach, nil
}

// reach refuses an address, host:port with the host's number, that is of this
// host, of a private network, or of nobody.
func (n *networks) reach(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(ip) }
	public := ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(special, in)
	if !public && !slices.ContainsFunc(n.allowed, in) {
		return fmt.Errorf("an issuer must not be at %s, which is no public address: --issuer-networks of cloudctl says where else issuers may be", ip)
	}
	return nil
}
