package network

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/miekg/dns"

	"karri/shared/wire"
)

func onePlace() place {
	return place{Instance: "i-00000000000000001", Interface: wire.Interface{ID: "eni-00000000000000001", VPC: "vpc-00000000000000001",
		CIDR: netip.MustParsePrefix("10.0.3.0/24"), MAC: "02:00:00:00:00:0a", Address: netip.MustParseAddr("10.0.3.7"),
		Hostname: "ip-10-0-3-7", Public: netip.MustParseAddr("198.51.100.7")}}
}

func request(t *testing.T, kind dhcpv4.MessageType, mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	mac, _ := net.ParseMAC("02:00:00:00:00:0a")
	m, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(mac), dhcpv4.WithMessageType(kind)}, mods...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLease(t *testing.T) {
	wants := func(ip string) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(net.ParseIP(ip)))
	}
	server := func(ip string) dhcpv4.Modifier { return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.ParseIP(ip))) }
	other, _ := net.ParseMAC("02:00:00:00:00:0b")
	for _, c := range []struct {
		name string
		req  *dhcpv4.DHCPv4
		want dhcpv4.MessageType // none: no answer
		to   string
	}{
		{"discover", request(t, dhcpv4.MessageTypeDiscover), dhcpv4.MessageTypeOffer, "10.0.3.7"},
		{"discover, deaf", request(t, dhcpv4.MessageTypeDiscover, dhcpv4.WithBroadcast(true)), dhcpv4.MessageTypeOffer, "255.255.255.255"},
		{"request", request(t, dhcpv4.MessageTypeRequest, wants("10.0.3.7"), server("10.0.3.1")), dhcpv4.MessageTypeAck, "10.0.3.7"},
		{"request of another address", request(t, dhcpv4.MessageTypeRequest, wants("10.0.3.8")), dhcpv4.MessageTypeNak, "255.255.255.255"},
		{"request of no address", request(t, dhcpv4.MessageTypeRequest), dhcpv4.MessageTypeNak, "255.255.255.255"},
		{"request of another server", request(t, dhcpv4.MessageTypeRequest, wants("10.0.3.7"), server("10.0.3.2")), dhcpv4.MessageTypeNone, ""},
		{"renewal", request(t, dhcpv4.MessageTypeRequest, dhcpv4.WithClientIP(net.ParseIP("10.0.3.7")), dhcpv4.WithBroadcast(true)), dhcpv4.MessageTypeAck, "10.0.3.7"},
		{"inform", request(t, dhcpv4.MessageTypeInform, dhcpv4.WithClientIP(net.ParseIP("10.0.3.7"))), dhcpv4.MessageTypeAck, "10.0.3.7"},
		{"release", request(t, dhcpv4.MessageTypeRelease), dhcpv4.MessageTypeNone, ""},
		{"an answer", request(t, dhcpv4.MessageTypeDiscover, func(m *dhcpv4.DHCPv4) { m.OpCode = dhcpv4.OpcodeBootReply }), dhcpv4.MessageTypeNone, ""},
		{"another's MAC", request(t, dhcpv4.MessageTypeDiscover, dhcpv4.WithHwAddr(other)), dhcpv4.MessageTypeNone, ""},
		{"by a relay", request(t, dhcpv4.MessageTypeDiscover, dhcpv4.WithGatewayIP(net.ParseIP("10.0.3.9"))), dhcpv4.MessageTypeNone, ""},
	} {
		ans, to := lease(c.req, onePlace(), "us-east-1.compute.internal")
		if c.want == dhcpv4.MessageTypeNone {
			if ans != nil {
				t.Errorf("%s: answered %s", c.name, ans.Summary())
			}
			continue
		}
		if ans == nil || ans.MessageType() != c.want || to.String() != c.to || ans.TransactionID != c.req.TransactionID {
			t.Errorf("%s: %v to %s", c.name, ans, to)
			continue
		}
		if c.want == dhcpv4.MessageTypeNak {
			continue
		}
		mtu, err := dhcpv4.GetUint16(dhcpv4.OptionInterfaceMTU, ans.Options)
		if err != nil || mtu != 1450 || ans.SubnetMask().String() != "ffffff00" || ans.Router()[0].String() != "10.0.3.1" || ans.DNS()[0].String() != "10.0.3.1" ||
			ans.HostName() != "ip-10-0-3-7" || ans.DomainName() != "us-east-1.compute.internal" || ans.ServerIdentifier().String() != "10.0.3.1" {
			t.Errorf("%s: %s %v", c.name, ans.Summary(), err)
		}
		if inform := c.name == "inform"; !inform && (ans.YourIPAddr.String() != "10.0.3.7" || ans.IPAddressLeaseTime(0) != leaseTime) || inform && !ans.YourIPAddr.IsUnspecified() {
			t.Errorf("%s: %s", c.name, ans.Summary())
		}
	}
}

func FuzzLease(f *testing.F) {
	mac, _ := net.ParseMAC("02:00:00:00:00:0a")
	for _, k := range []dhcpv4.MessageType{dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeInform} {
		m, err := dhcpv4.New(dhcpv4.WithHwAddr(mac), dhcpv4.WithMessageType(k))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.ToBytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		req, err := dhcpv4.FromBytes(b)
		if err != nil {
			return
		}
		ans, _ := lease(req, onePlace(), "d")
		if ans != nil && (ans.MessageType() == dhcpv4.MessageTypeOffer && ans.YourIPAddr.String() != "10.0.3.7" || len(ans.ToBytes()) == 0) {
			t.Error(ans.Summary())
		}
	})
}

func testView() view {
	v := view{byTap: map[string]place{"t": onePlace()}, names: map[string]netip.Addr{"ip-10-0-3-7": netip.MustParseAddr("10.0.3.7")}}
	v.network = wire.Network{CIDR: netip.MustParsePrefix("10.0.0.0/16"), Domain: "us-east-1.compute.internal"}
	return v
}

// upstream is a resolver of the host, on loopback.
func upstream(t *testing.T) *resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		rr, err := dns.NewRR(q.Question[0].Name + " 30 IN A 192.0.2.80")
		if err != nil || q.Question[0].Qtype != dns.TypeA {
			m.Rcode = dns.RcodeNameError
		} else {
			m.Answer = append(m.Answer, rr)
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = srv.ActivateAndServe() }()
	t.Cleanup(func() { _ = srv.Shutdown() })
	r := newResolver(filepath.Join(t.TempDir(), "none"))
	r.list() // read, and found empty
	r.servers = []string{pc.LocalAddr().String()}
	return r
}

func TestNames(t *testing.T) {
	n := newNames(testView, upstream(t))
	const d = ".us-east-1.compute.internal."
	for _, c := range []struct {
		name  string
		typ   uint16
		rcode int
		want  string
	}{
		{"ip-10-0-3-7" + d, dns.TypeA, dns.RcodeSuccess, "10.0.3.7"},
		{"IP-10-0-3-7.us-east-1.Compute.internal.", dns.TypeA, dns.RcodeSuccess, "10.0.3.7"},
		{"ip-10-0-3-7" + d, dns.TypeAAAA, dns.RcodeSuccess, ""},
		{"ip-10-0-3-8" + d, dns.TypeA, dns.RcodeNameError, ""},
		{"x.ip-10-0-3-7" + d, dns.TypeA, dns.RcodeNameError, ""},
		{d[1:], dns.TypeA, dns.RcodeSuccess, ""},
		{"instance-data" + d, dns.TypeA, dns.RcodeSuccess, "169.254.169.254"},
		{"ec2-198-51-100-7" + d, dns.TypeA, dns.RcodeSuccess, "10.0.3.7"},
		{"ec2-198-51-100-8" + d, dns.TypeA, dns.RcodeSuccess, "198.51.100.8"},
		{"ec2-198.51.100.8" + d, dns.TypeA, dns.RcodeNameError, ""},
		{"ec2-1-2" + d, dns.TypeA, dns.RcodeNameError, ""},
		{"7.3.0.10.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, "ip-10-0-3-7" + d},
		{"8.3.0.10.in-addr.arpa.", dns.TypePTR, dns.RcodeNameError, ""},
		{"9.3.1.11.in-addr.arpa.", dns.TypePTR, dns.RcodeNameError, ""}, // the upstream's word
		{"example.org.", dns.TypeA, dns.RcodeSuccess, "192.0.2.80"},
		{"example.org.", dns.TypeANY, dns.RcodeRefused, ""},
		{"example.org.", dns.TypeAXFR, dns.RcodeRefused, ""},
	} {
		q := new(dns.Msg).SetQuestion(c.name, c.typ)
		ans := n.answer("udp", q)
		var got []string
		for _, rr := range ans.Answer {
			switch rr := rr.(type) {
			case *dns.A:
				got = append(got, rr.A.String())
			case *dns.PTR:
				got = append(got, rr.Ptr)
			}
		}
		if ans.Id != q.Id || ans.Rcode != c.rcode || strings.Join(got, " ") != c.want {
			t.Errorf("%s %s: %s %q, want %s %q", c.name, dns.TypeToString[c.typ], dns.RcodeToString[ans.Rcode], got, dns.RcodeToString[c.rcode], c.want)
		}
	}
	chaos := new(dns.Msg).SetQuestion("version.bind.", dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	if ans := n.answer("udp", chaos); ans.Rcode != dns.RcodeNotImplemented {
		t.Error(ans)
	}
	if ans := n.answer("udp", new(dns.Msg)); ans.Rcode != dns.RcodeNotImplemented {
		t.Error(ans)
	}
	if ans := n.answer("udp", new(dns.Msg).SetReply(chaos)); ans != nil {
		t.Error("answered an answer:", ans)
	}
}

func TestNoResolversIsAServerFailure(t *testing.T) {
	n := newNames(testView, newResolver(filepath.Join(t.TempDir(), "none")))
	if ans := n.answer("udp", new(dns.Msg).SetQuestion("example.org.", dns.TypeA)); ans.Rcode != dns.RcodeServerFailure {
		t.Error(ans)
	}
	for range maxForwards {
		n.waiting <- struct{}{}
	}
	if ans := n.answer("udp", new(dns.Msg).SetQuestion("example.org.", dns.TypeA)); ans.Rcode != dns.RcodeServerFailure {
		t.Error("over the bound:", ans)
	}
}

func TestResolversAreTheHosts(t *testing.T) {
	p := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(p, []byte("nameserver 192.0.2.53\nnameserver fd00::53\nsearch x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := newResolver(p).list(); !slices.Equal(got, []string{"192.0.2.53:53", "[fd00::53]:53"}) {
		t.Error(got)
	}
}

func FuzzNames(f *testing.F) {
	f.Add("ip-10-0-3-7.us-east-1.compute.internal.", uint16(1))
	f.Add("7.3.0.10.in-addr.arpa.", uint16(12))
	f.Add("ec2-1-2-3-4.us-east-1.compute.internal.", uint16(1))
	f.Fuzz(func(t *testing.T, name string, typ uint16) {
		q := dns.Question{Name: name, Qtype: typ, Qclass: dns.ClassINET}
		ans := new(dns.Msg)
		if own(ans, q, testView()) && len(ans.Answer) > 1 {
			t.Error(ans)
		}
	})
}

func TestDeviceNamesFit(t *testing.T) {
	for _, n := range []string{TapName("wxyz", "eni-0123456789abcdef0"), uplinkName("wxyz", "vpc-0123456789abcdef0"), overlayName("wxyz", "vpc-0123456789abcdef0")} {
		if len(n) > 15 || !strings.HasPrefix(n, "kwxyz-") {
			t.Errorf("%s: %d bytes", n, len(n))
		}
	}
	for _, c := range []string{"", "abcde", "A", "a-b", "é", "a/b"} {
		if _, err := newIn(nil, Options{Cloud: c}); err == nil {
			t.Errorf("cloud %q was taken", c)
		}
	}
}

func TestTunnelAddressesDiffer(t *testing.T) {
	seen := map[netip.Addr]int{netip.MustParseAddr("169.254.169.254"): -1}
	for i := 1; i <= 65534; i++ {
		a := tunnelAddress(i)
		if other, twice := seen[a]; twice {
			t.Fatalf("%d and %d are both %s", i, other, a)
		}
		seen[a] = i
	}
}
