// Package rules writes down, as one nft text per router namespace, who may
// speak to whom in a VPC on one host, and says which standing connections the
// same rules would no longer allow.
//
// Everything is pure: the same Router gives the same text, byte for byte. The
// text replaces the tables whole, so the kernel goes from the old rules to the
// new in one transaction, and a text that it refuses changes nothing. What is
// not well formed is left out, and since rules only ever allow, leaving out is
// the safe side.
//
// A packet from a guest passes, in this order: source check at its tap (before
// connection tracking), translation of public addresses, the groups' rules for
// leaving of the sender, and those for entering of the receiver. The second
// host of a flow does the same, so both see both directions and each tracks
// the whole of the connection.
package rules

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The devices that each router has besides its taps, and its tables' name.
const (
	Overlay  = "vx0" // to the other hosts of the VPC
	Uplink   = "up0" // to its own host, and by it to the world
	Table    = "karri"
	Metadata = "169.254.169.254"
)

// A Router is a VPC on one host.
type Router struct {
	Inside   []netip.Prefix // the VPC's ranges: packets for them never leave by the uplink
	Gateways []netip.Addr   // the router's own addresses, one per subnet
	Transit  netip.Addr     // what guests without a public address are translated to
	Taps     []Tap
	Remotes  []netip.Addr // guests of the VPC on other hosts
}

// A Tap is the place of one guest interface.
type Tap struct {
	Name        string
	MAC         string
	Address     netip.Addr
	Public      netip.Addr // zero: none
	SourceCheck bool
	In, Out     []Allow
}

// An Allow lets one kind of traffic with Peers pass.
type Allow struct {
	Protocol string // tcp, udp, icmp, a number, or -1 for all
	From, To int    // ports, or ICMP type and code; -1: any
	Peers    []netip.Prefix
}

var deviceName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,14}$`)

func (t Tap) check() error {
	mac, err := net.ParseMAC(t.MAC)
	switch {
	case !deviceName.MatchString(t.Name):
		return fmt.Errorf("tap %q: not a device name", t.Name)
	case err != nil || len(mac) != 6 || mac[0]&1 != 0 || mac.String() != t.MAC:
		return fmt.Errorf("tap %s: %q is not the MAC of a host", t.Name, t.MAC)
	case !t.Address.Is4() || !ordinary(t.Address):
		return fmt.Errorf("tap %s: %s is not a host's address", t.Name, t.Address)
	case t.Public.IsValid() && (!t.Public.Is4() || !ordinary(t.Public)):
		return fmt.Errorf("tap %s: %s is not a public address", t.Name, t.Public)
	}
	return nil
}

func ordinary(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// Sound returns the router without the taps that are not well formed or that
// claim an address that another has, and what is wrong with each.
func (r Router) Sound() (Router, error) {
	var errs []error
	seen := map[netip.Addr]string{}
	taps := slices.Clone(r.Taps)
	slices.SortFunc(taps, func(a, b Tap) int { return strings.Compare(a.Name, b.Name) })
	r.Taps = nil
	for _, t := range taps {
		if err := t.check(); err != nil {
			errs = append(errs, err)
			continue
		}
		if other := seen[t.Address]; other != "" {
			errs = append(errs, fmt.Errorf("tap %s: %s is the address of %s", t.Name, t.Address, other))
			continue
		}
		if other := seen[t.Public]; other != "" && t.Public.IsValid() {
			errs = append(errs, fmt.Errorf("tap %s: %s is the public address of %s", t.Name, t.Public, other))
			t.Public = netip.Addr{}
		}
		seen[t.Address], seen[t.Public] = t.Name, t.Name
		r.Taps = append(r.Taps, t)
	}
	return r, errors.Join(errs...)
}

// normal gives an Allow's protocol its one name: tcp, udp, icmp, all or a
// number. It reports false for what is not a protocol of IPv4.
func (a Allow) normal() (string, bool) {
	switch p := strings.ToLower(a.Protocol); p {
	case "-1":
		return "all", true
	case "tcp", "udp", "icmp":
		return p, true
	case "6":
		return "tcp", true
	case "17":
		return "udp", true
	case "1":
		return "icmp", true
	default:
		n, err := strconv.ParseUint(p, 10, 8)
		return strconv.FormatUint(n, 10), err == nil && n != 58 // ICMPv6
	}
}

// ports returns the range of a tcp or udp rule, all of them for -1.
func (a Allow) ports() (from, to int, ok bool) {
	if a.From == -1 {
		return 0, 65535, true
	}
	return a.From, a.To, 0 <= a.From && a.From <= a.To && a.To <= 65535
}

// peers returns the IPv4 ranges without those that lie in another.
func (a Allow) peers() []netip.Prefix { return apart(a.Peers) }

func apart(all []netip.Prefix) []netip.Prefix {
	var ps []netip.Prefix
	for _, p := range all {
		if p.IsValid() && p.Addr().Is4() {
			ps = append(ps, p.Masked())
		}
	}
	slices.SortFunc(ps, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits()
	})
	var out []netip.Prefix
	for _, p := range ps {
		if len(out) == 0 || !out[len(out)-1].Overlaps(p) {
			out = append(out, p)
		}
	}
	return out
}
