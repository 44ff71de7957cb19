package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// AddAddress gives an interface an address; one that it has already is left.
func (s *Space) AddAddress(name string, p netip.Prefix) error {
	l, err := s.find(name)
	if err != nil {
		return err
	}
	err = s.h.AddrAdd(l, &netlink.Addr{IPNet: ipnet(p)})
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("give %s the address %s: %w", name, p, err)
	}
	return nil
}

// RemoveAddress takes an address from an interface.
func (s *Space) RemoveAddress(name string, p netip.Prefix) error {
	l, err := s.find(name)
	if err != nil {
		return err
	}
	err = s.h.AddrDel(l, &netlink.Addr{IPNet: ipnet(p)})
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("take the address %s from %s: %w", p, name, err)
	}
	return nil
}

// Addresses lists the IPv4 addresses of an interface; of all when name is empty.
func (s *Space) Addresses(name string) ([]netip.Prefix, error) {
	var l netlink.Link
	if name != "" {
		var err error
		if l, err = s.find(name); err != nil {
			return nil, err
		}
	}
	found, err := whole(func() ([]netlink.Addr, error) { return s.h.AddrList(l, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list addresses of %q: %w", name, err)
	}
	var ps []netip.Prefix
	for _, a := range found {
		ps = append(ps, prefix(a.IPNet))
	}
	return ps, nil
}

// A Route is the way to a range of addresses.
type Route struct {
	To     netip.Prefix
	Via    netip.Addr // taken to be on the link; zero: To itself is
	Device string     // not reported by Routes, which is asked for one device
	Source netip.Addr // address that this host speaks from; zero: the kernel chooses
}

// AddRoute sets the way to r.To, in place of another to the same range.
func (s *Space) AddRoute(r Route) error {
	l, err := s.find(r.Device)
	if err != nil {
		return err
	}
	if err := s.h.RouteReplace(s.route(l, r)); err != nil {
		return fmt.Errorf("route %s by %s: %w", r.To, r.Device, err)
	}
	return nil
}

// RemoveRoute takes away the way to r.To by r.Device.
func (s *Space) RemoveRoute(r Route) error {
	l, err := s.find(r.Device)
	if err != nil {
		return err
	}
	if err := s.h.RouteDel(s.route(l, r)); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("remove route %s by %s: %w", r.To, r.Device, err)
	}
	return nil
}

func (s *Space) route(l netlink.Link, r Route) *netlink.Route {
	k := &netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipnet(r.To)}
	if r.Via.IsValid() {
		k.Gw = r.Via.AsSlice()
		k.Flags = int(netlink.FLAG_ONLINK)
	} else {
		k.Scope = netlink.SCOPE_LINK
	}
	if r.Source.IsValid() {
		k.Src = r.Source.AsSlice()
	}
	return k
}

// Routes lists the IPv4 routes of the main table by the interface name; all of
// them when name is empty.
func (s *Space) Routes(name string) ([]Route, error) {
	var l netlink.Link
	if name != "" {
		var err error
		if l, err = s.find(name); err != nil {
			return nil, err
		}
	}
	found, err := whole(func() ([]netlink.Route, error) { return s.h.RouteList(l, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list routes by %q: %w", name, err)
	}
	var rs []Route
	for _, k := range found {
		r := Route{To: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Device: name}
		if k.Dst != nil {
			r.To = prefix(k.Dst)
		}
		r.Via, _ = netip.AddrFromSlice(k.Gw.To4())
		r.Source, _ = netip.AddrFromSlice(k.Src.To4())
		rs = append(rs, r)
	}
	return rs, nil
}

// DefaultDevice names the interface of the default route, or ErrMissing.
func (s *Space) DefaultDevice() (string, error) {
	found, err := whole(func() ([]netlink.Route, error) { return s.h.RouteList(nil, unix.AF_INET) })
	if err != nil {
		return "", fmt.Errorf("list routes: %w", err)
	}
	for _, k := range found {
		if k.Dst == nil || k.Dst.IP.IsUnspecified() && prefix(k.Dst).Bits() == 0 {
			l, err := s.h.LinkByIndex(k.LinkIndex)
			if err != nil {
				return "", fmt.Errorf("find the default route's interface: %w", err)
			}
			return l.Attrs().Name, nil
		}
	}
	return "", fmt.Errorf("default route: %w", ErrMissing)
}

func ipnet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func prefix(n *net.IPNet) netip.Prefix {
	a, _ := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), bits)
}
