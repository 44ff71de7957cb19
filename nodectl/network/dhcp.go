package network

import (
	"encoding/binary"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/net/ipv4"
)

// A lease never ends: the address is the interface's for life, and a guest must
// not lose it because this daemon was away.
const leaseTime = math.MaxUint32 * time.Second

// serveDHCP answers the guests of a router until the socket is closed.
func (r *router) serveDHCP(c *ipv4.PacketConn) error {
	buf := make([]byte, 2048)
	for {
		n, cm, _, err := c.ReadFrom(buf)
		if err != nil {
			return err
		}
		req, err := dhcpv4.FromBytes(buf[:n])
		if err != nil || cm == nil {
			continue
		}
		tap, err := r.space.NameOf(cm.IfIndex)
		if err != nil {
			continue // it ended while its packet waited
		}
		w := r.view()
		p, ok := w.byTap[tap]
		if !ok {
			continue
		}
		ans, to := lease(req, p, w.network.Domain)
		if ans == nil {
			continue
		}
		gw := gateway(p.Interface.CIDR)
		cm = &ipv4.ControlMessage{IfIndex: cm.IfIndex, Src: gw.AsSlice()}
		if _, err := c.WriteTo(ans.ToBytes(), cm, &net.UDPAddr{IP: to.AsSlice(), Port: 68}); err != nil {
			slog.Warn("answer DHCP", "vpc", r.vpc, "tap", tap, "error", err)
		}
	}
}

// lease answers a request that came by the tap of place p, and says where the
// answer goes. It answers only the interface's own MAC, and nil to all else.
func lease(req *dhcpv4.DHCPv4, p place, domain string) (*dhcpv4.DHCPv4, netip.Addr) {
	f := p.Interface
	mac, err := net.ParseMAC(f.MAC)
	if err != nil || req.OpCode != dhcpv4.OpcodeBootRequest || req.ClientHWAddr.String() != mac.String() || !unset(req.GatewayIPAddr) {
		return nil, netip.Addr{}
	}
	gw := net.IP(gateway(f.CIDR).AsSlice())
	if s := req.ServerIdentifier(); !unset(s) && !s.Equal(gw) {
		return nil, netip.Addr{} // speaks to another server
	}
	kind := dhcpv4.MessageTypeAck
	switch req.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		kind = dhcpv4.MessageTypeOffer
	case dhcpv4.MessageTypeRequest:
		asked := req.RequestedIPAddress()
		if unset(asked) {
			asked = req.ClientIPAddr
		}
		if !asked.Equal(net.IP(f.Address.AsSlice())) {
			kind = dhcpv4.MessageTypeNak
		}
	case dhcpv4.MessageTypeInform:
	default:
		return nil, netip.Addr{}
	}
	ans, err := dhcpv4.NewReplyFromRequest(req, dhcpv4.WithMessageType(kind), dhcpv4.WithServerIP(gw), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(gw)))
	if err != nil {
		return nil, netip.Addr{}
	}
	everyone := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if kind == dhcpv4.MessageTypeNak {
		return ans, everyone
	}
	fill(ans, p, gw, domain)
	if req.MessageType() != dhcpv4.MessageTypeInform {
		ans.YourIPAddr = f.Address.AsSlice()
		ans.UpdateOption(dhcpv4.OptIPAddressLeaseTime(leaseTime))
	}
	if req.IsBroadcast() && unset(req.ClientIPAddr) {
		return ans, everyone
	}
	return ans, f.Address // its MAC is a permanent neighbour: no need that it answers ARP yet
}

// fill gives an answer what the guest is to know of its network.
func fill(ans *dhcpv4.DHCPv4, p place, gw net.IP, domain string) {
	f := p.Interface
	ans.UpdateOption(dhcpv4.OptSubnetMask(net.CIDRMask(f.CIDR.Bits(), 32)))
	ans.UpdateOption(dhcpv4.OptRouter(gw))
	ans.UpdateOption(dhcpv4.OptDNS(gw))
	ans.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionInterfaceMTU, binary.BigEndian.AppendUint16(nil, MTU)))
	name := f.Hostname
	if name == "" {
		name = hostName(f.Address)
	}
	ans.UpdateOption(dhcpv4.OptHostName(name))
	if domain != "" {
		ans.UpdateOption(dhcpv4.OptDomainName(domain))
	}
}

func unset(ip net.IP) bool { return ip == nil || ip.IsUnspecified() }
