package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Link is a network interface.
type Link struct {
	Name  string
	Kind  string // veth, vxlan, tuntap, device, ...
	Index int
	MAC   string
	MTU   int
	Up    bool
	VXLAN *VXLAN // set where Kind is vxlan
}

// Links lists the interfaces of the namespace.
func (s *Space) Links() ([]Link, error) {
	found, err := whole(func() ([]netlink.Link, error) { return s.h.LinkList() })
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	links := make([]Link, 0, len(found))
	for _, l := range found {
		links = append(links, linkOf(l))
	}
	return links, nil
}

// Link returns one interface, or ErrMissing.
func (s *Space) Link(name string) (Link, error) {
	l, err := s.find(name)
	if err != nil {
		return Link{}, err
	}
	return linkOf(l), nil
}

func linkOf(l netlink.Link) Link {
	a := l.Attrs()
	out := Link{Name: a.Name, Kind: l.Type(), Index: a.Index, MAC: a.HardwareAddr.String(), MTU: a.MTU, Up: a.Flags&net.FlagUp != 0}
	if v, ok := l.(*netlink.Vxlan); ok {
		local, _ := netip.AddrFromSlice(v.SrcAddr.To4())
		out.VXLAN = &VXLAN{ID: uint32(v.VxlanId), Port: v.Port, Local: local}
	}
	return out
}

func (s *Space) find(name string) (netlink.Link, error) {
	l, err := s.h.LinkByName(name)
	if _, gone := errors.AsType[netlink.LinkNotFoundError](err); gone {
		return nil, fmt.Errorf("interface %s: %w", name, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("find interface %s: %w", name, err)
	}
	return l, nil
}

// Configure gives an interface its MTU and, unless mac is empty, its MAC, and
// takes it up. The MAC of an interface that is up is not changed by all
// drivers, so it is set first.
func (s *Space) Configure(name string, mtu int, mac string) error {
	l, err := s.find(name)
	if err != nil {
		return err
	}
	a := l.Attrs()
	if mac != "" && a.HardwareAddr.String() != mac {
		hw, err := net.ParseMAC(mac)
		if err != nil {
			return fmt.Errorf("interface %s: %w", name, err)
		}
		if err := s.h.LinkSetHardwareAddr(l, hw); err != nil {
			return fmt.Errorf("set MAC of %s: %w", name, err)
		}
	}
	if mtu != 0 && a.MTU != mtu {
		if err := s.h.LinkSetMTU(l, mtu); err != nil {
			return fmt.Errorf("set MTU of %s: %w", name, err)
		}
	}
	if a.Flags&net.FlagUp == 0 {
		if err := s.h.LinkSetUp(l); err != nil {
			return fmt.Errorf("take %s up: %w", name, err)
		}
	}
	return nil
}

// Rename gives an interface that is down another name.
func (s *Space) Rename(from, to string) error {
	l, err := s.find(from)
	if err != nil {
		return err
	}
	if err := s.h.LinkSetName(l, to); err != nil {
		return fmt.Errorf("rename %s to %s: %w", from, to, err)
	}
	return nil
}

// Move puts an interface into another namespace. Its addresses and routes are
// lost on the way.
func (s *Space) Move(name string, to *Space) error {
	l, err := s.find(name)
	if err != nil {
		return err
	}
	if err := s.h.LinkSetNsFd(l, int(to.fd)); err != nil {
		return fmt.Errorf("move %s to namespace %q: %w", name, to.name, err)
	}
	return nil
}

// Delete removes an interface; one that is not there is no error.
func (s *Space) Delete(name string) error {
	l, err := s.find(name)
	if errors.Is(err, ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.h.LinkDel(l); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("delete interface %s: %w", name, err)
	}
	return nil
}

// AddVeth makes a pair of interfaces, name here and peer in the namespace far.
func (s *Space) AddVeth(name, peer string, far *Space) error {
	v := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: peer, PeerNamespace: netlink.NsFd(far.fd)}
	v.Name = name
	if err := s.h.LinkAdd(v); err != nil {
		return fmt.Errorf("make pair %s and %s: %w", name, peer, err)
	}
	return nil
}

// VXLAN describes an overlay device without learning and without a group:
// where frames go is said by AddForwarding alone.
type VXLAN struct {
	ID    uint32
	Port  int
	Local netip.Addr
}

// AddVXLAN makes an overlay device. Its outer socket stays in this namespace
// wherever the device is moved.
func (s *Space) AddVXLAN(name string, v VXLAN) error {
	l := &netlink.Vxlan{LinkAttrs: netlink.NewLinkAttrs(), VxlanId: int(v.ID), Port: v.Port, SrcAddr: v.Local.AsSlice(), Learning: false}
	l.Name = name
	if err := s.h.LinkAdd(l); err != nil {
		return fmt.Errorf("make VXLAN %s (id %d, port %d): %w", name, v.ID, v.Port, err)
	}
	return nil
}

// NameOf returns the name of the interface with the given index, or ErrMissing.
func (s *Space) NameOf(index int) (string, error) {
	l, err := s.h.LinkByIndex(index)
	if _, gone := errors.AsType[netlink.LinkNotFoundError](err); gone {
		return "", fmt.Errorf("interface %d: %w", index, ErrMissing)
	}
	if err != nil {
		return "", fmt.Errorf("find interface %d: %w", index, err)
	}
	return l.Attrs().Name, nil
}
