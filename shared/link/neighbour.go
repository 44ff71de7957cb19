package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Neighbour is an address on a link and the MAC that it is reached by.
type Neighbour struct {
	Address netip.Addr
	MAC     string
}

// AddNeighbour sets for good which MAC an address has, so that nothing heard
// on the link can change it.
func (s *Space) AddNeighbour(device string, n Neighbour) error {
	k, err := s.neigh(device, n)
	if err != nil {
		return err
	}
	k.State = netlink.NUD_PERMANENT
	if err := s.h.NeighSet(k); err != nil {
		return fmt.Errorf("set neighbour %s on %s: %w", n.Address, device, err)
	}
	return nil
}

// RemoveNeighbour undoes AddNeighbour.
func (s *Space) RemoveNeighbour(device string, n Neighbour) error {
	k, err := s.neigh(device, n)
	if err != nil {
		return err
	}
	if err := s.h.NeighDel(k); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove neighbour %s on %s: %w", n.Address, device, err)
	}
	return nil
}

// Neighbours lists what AddNeighbour set on a device.
func (s *Space) Neighbours(device string) ([]Neighbour, error) {
	l, err := s.find(device)
	if err != nil {
		return nil, err
	}
	found, err := whole(func() ([]netlink.Neigh, error) { return s.h.NeighList(l.Attrs().Index, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list neighbours on %s: %w", device, err)
	}
	var ns []Neighbour
	for _, k := range found {
		if a, ok := netip.AddrFromSlice(k.IP); ok && k.State&netlink.NUD_PERMANENT != 0 && k.Flags&netlink.NTF_PROXY == 0 {
			ns = append(ns, Neighbour{Address: a.Unmap(), MAC: k.HardwareAddr.String()})
		}
	}
	return ns, nil
}

func (s *Space) neigh(device string, n Neighbour) (*netlink.Neigh, error) {
	l, err := s.find(device)
	if err != nil {
		return nil, err
	}
	mac, err := net.ParseMAC(n.MAC)
	if err != nil {
		return nil, fmt.Errorf("neighbour %s: %w", n.Address, err)
	}
	return &netlink.Neigh{LinkIndex: l.Attrs().Index, Family: unix.AF_INET, IP: n.Address.AsSlice(), HardwareAddr: mac}, nil
}

// AddProxy lets the host answer on device for an address that is behind it.
func (s *Space) AddProxy(device string, a netip.Addr) error {
	l, err := s.find(device)
	if err != nil {
		return err
	}
	if err := s.h.NeighSet(proxy(l, a)); err != nil {
		return fmt.Errorf("answer for %s on %s: %w", a, device, err)
	}
	return nil
}

// RemoveProxy undoes AddProxy.
func (s *Space) RemoveProxy(device string, a netip.Addr) error {
	l, err := s.find(device)
	if err != nil {
		return err
	}
	if err := s.h.NeighDel(proxy(l, a)); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("no longer answer for %s on %s: %w", a, device, err)
	}
	return nil
}

// Proxies lists the addresses that AddProxy set on device.
func (s *Space) Proxies(device string) ([]netip.Addr, error) {
	l, err := s.find(device)
	if err != nil {
		return nil, err
	}
	found, err := whole(func() ([]netlink.Neigh, error) { return s.h.NeighProxyList(l.Attrs().Index, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list addresses answered for on %s: %w", device, err)
	}
	var as []netip.Addr
	for _, k := range found {
		if a, ok := netip.AddrFromSlice(k.IP); ok && k.LinkIndex == l.Attrs().Index {
			as = append(as, a.Unmap())
		}
	}
	return as, nil
}

func proxy(l netlink.Link, a netip.Addr) *netlink.Neigh {
	return &netlink.Neigh{LinkIndex: l.Attrs().Index, Family: unix.AF_INET, Flags: netlink.NTF_PROXY, IP: a.AsSlice()}
}

// A Forwarding sends frames for a MAC to the VXLAN endpoint that has it.
type Forwarding struct {
	MAC string
	To  netip.Addr
}

// AddForwarding sets a forwarding entry of a VXLAN device, in place of another
// for the same MAC.
func (s *Space) AddForwarding(device string, f Forwarding) error {
	k, err := s.forwarding(device, f)
	if err != nil {
		return err
	}
	if err := s.h.NeighSet(k); err != nil {
		return fmt.Errorf("forward %s on %s: %w", f.MAC, device, err)
	}
	return nil
}

// RemoveForwarding undoes AddForwarding.
func (s *Space) RemoveForwarding(device string, f Forwarding) error {
	k, err := s.forwarding(device, f)
	if err != nil {
		return err
	}
	if err := s.h.NeighDel(k); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("no longer forward %s on %s: %w", f.MAC, device, err)
	}
	return nil
}

// Forwardings lists the forwarding entries of a VXLAN device.
func (s *Space) Forwardings(device string) ([]Forwarding, error) {
	l, err := s.find(device)
	if err != nil {
		return nil, err
	}
	found, err := whole(func() ([]netlink.Neigh, error) { return s.h.NeighList(l.Attrs().Index, unix.AF_BRIDGE) })
	if err != nil {
		return nil, fmt.Errorf("list forwarding entries of %s: %w", device, err)
	}
	var fs []Forwarding
	for _, k := range found {
		if a, ok := netip.AddrFromSlice(k.IP); ok {
			fs = append(fs, Forwarding{MAC: k.HardwareAddr.String(), To: a.Unmap()})
		}
	}
	return fs, nil
}

func (s *Space) forwarding(device string, f Forwarding) (*netlink.Neigh, error) {
	l, err := s.find(device)
	if err != nil {
		return nil, err
	}
	mac, err := net.ParseMAC(f.MAC)
	if err != nil {
		return nil, fmt.Errorf("forwarding entry: %w", err)
	}
	return &netlink.Neigh{LinkIndex: l.Attrs().Index, Family: unix.AF_BRIDGE, State: netlink.NUD_PERMANENT | netlink.NUD_NOARP,
		Flags: netlink.NTF_SELF, IP: f.To.AsSlice(), HardwareAddr: mac}, nil
}

// Announce tells all on device's link, by a gratuitous ARP, that a is reached
// by device's MAC.
func (s *Space) Announce(device string, a netip.Addr) error {
	l, err := s.find(device)
	if err != nil {
		return err
	}
	mac, ip := l.Attrs().HardwareAddr, a.As4()
	if len(mac) != 6 {
		return fmt.Errorf("announce %s on %s: no MAC", a, device)
	}
	frame := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	frame = append(frame, mac...)
	frame = append(frame, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1) // ARP, Ethernet, IPv4, request
	frame = append(append(frame, mac...), ip[:]...)
	frame = append(append(frame, 0, 0, 0, 0, 0, 0), ip[:]...)
	err = s.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index, Halen: 6})
	})
	if err != nil {
		return fmt.Errorf("announce %s on %s: %w", a, device, err)
	}
	return nil
}
