package link

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// A Flow is a connection that the kernel tracks, as its first packet was seen
// and as answers to it come. Where the two differ, an address was translated.
type Flow struct {
	Protocol uint8
	Source   netip.AddrPort // who began it
	Target   netip.AddrPort // whom it asked for
	Answerer netip.AddrPort // who answers: Target after translation
	Returns  netip.AddrPort // whom the answers are for: Source after translation
}

// CutFlows makes the kernel forget the IPv4 connections for which cut is true,
// and returns how many they were. Packets of a forgotten connection are judged
// by the rules anew.
func (s *Space) CutFlows(cut func(Flow) bool) (int, error) {
	n, err := s.h.ConntrackDeleteFilters(netlink.ConntrackTable, netlink.FAMILY_V4, flowFilter(cut))
	if err != nil {
		return int(n), fmt.Errorf("cut connections in namespace %q: %w", s.name, err)
	}
	return int(n), nil
}

// Flows lists the IPv4 connections that the kernel tracks.
func (s *Space) Flows() ([]Flow, error) {
	found, err := whole(func() ([]*netlink.ConntrackFlow, error) {
		return s.h.ConntrackTableList(netlink.ConntrackTable, netlink.FAMILY_V4)
	})
	if err != nil {
		return nil, fmt.Errorf("list connections in namespace %q: %w", s.name, err)
	}
	var fs []Flow
	for _, f := range found {
		fs = append(fs, flowOf(f))
	}
	return fs, nil
}

type flowFilter func(Flow) bool

func (f flowFilter) MatchConntrackFlow(k *netlink.ConntrackFlow) bool { return f(flowOf(k)) }

func flowOf(k *netlink.ConntrackFlow) Flow {
	return Flow{
		Protocol: k.Forward.Protocol,
		Source:   addrPort(k.Forward.SrcIP, k.Forward.SrcPort),
		Target:   addrPort(k.Forward.DstIP, k.Forward.DstPort),
		Answerer: addrPort(k.Reverse.SrcIP, k.Reverse.SrcPort),
		Returns:  addrPort(k.Reverse.DstIP, k.Reverse.DstPort),
	}
}

func addrPort(ip net.IP, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(a.Unmap(), port)
}
