package rules

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func cidrs(ss ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, s := range ss {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

var all = []Allow{{Protocol: "-1", From: -1, To: -1, Peers: cidrs("0.0.0.0/0")}}

// two is a router with two guests, one of them public, and one elsewhere.
func two() Router {
	return Router{
		Inside:   cidrs("10.0.0.0/16", "10.0.1.0/24"),
		Gateways: []netip.Addr{addr("10.0.1.1"), addr("10.0.0.1")},
		Transit:  addr("100.64.0.2"),
		Remotes:  []netip.Addr{addr("10.0.0.12")},
		Taps: []Tap{
			{Name: "kab-tbbbbbbbb", MAC: "02:00:00:00:00:0b", Address: addr("10.0.0.11"), SourceCheck: true, Out: all,
				In: []Allow{{Protocol: "tcp", From: 5432, To: 5432, Peers: cidrs("10.0.0.10/32", "10.0.0.12/32")}}},
			{Name: "kab-taaaaaaaa", MAC: "02:00:00:00:00:0a", Address: addr("10.0.0.10"), Public: addr("198.51.100.7"), SourceCheck: true, Out: all,
				In: []Allow{
					{Protocol: "tcp", From: 22, To: 22, Peers: cidrs("0.0.0.0/0")},
					{Protocol: "tcp", From: 22, To: 22, Peers: cidrs("0.0.0.0/0")},
					{Protocol: "6", From: 8000, To: 8999, Peers: cidrs("203.0.113.0/24", "203.0.113.9/32", "10.0.0.0/8", "::/0")},
					{Protocol: "udp", From: -1, To: -1, Peers: cidrs("10.0.0.0/8")},
					{Protocol: "icmp", From: 8, To: -1, Peers: cidrs("0.0.0.0/0")},
					{Protocol: "icmp", From: 3, To: 4, Peers: cidrs("0.0.0.0/0")},
					{Protocol: "50", From: -1, To: -1, Peers: cidrs("192.0.2.1/32")},
					{Protocol: "58", From: -1, To: -1, Peers: cidrs("0.0.0.0/0")},
					{Protocol: "tcp", From: 9, To: 1, Peers: cidrs("0.0.0.0/0")},
					{Protocol: "tcp; drop", From: 1, To: 1, Peers: cidrs("0.0.0.0/0")},
					{Protocol: "tcp", From: 1, To: 1},
				}},
		},
	}
}

func noCheck() Router {
	r := two()
	r.Taps = r.Taps[:1]
	r.Taps[0].SourceCheck = false
	return r
}

func texts(t *testing.T) map[string]string {
	m := map[string]string{}
	for name, r := range map[string]Router{"two.nft": two(), "empty.nft": {}, "unchecked.nft": noCheck()} {
		text, err := Render(r)
		if err != nil {
			t.Fatal(name, err)
		}
		m[name] = text
	}
	m["host.nft"] = RenderHost(Host{Cloud: "ab", Devices: "kab-u", Transit: netip.MustParsePrefix("100.64.0.0/16"),
		Public: []netip.Addr{addr("198.51.100.7")}, Uplink: "eth0", Hosts: []netip.Addr{addr("10.77.0.11"), addr("10.77.0.12")},
		Allow: []netip.AddrPort{netip.MustParseAddrPort("10.77.0.11:8773")}, Note: "forwarded=0 uplink=eth0"})
	m["host-empty.nft"] = RenderHost(Host{Cloud: "ab", Devices: "kab-u", Transit: netip.MustParsePrefix("100.64.0.0/16")})
	return m
}

func TestGolden(t *testing.T) {
	for name, text := range texts(t) {
		p := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if text != string(want) {
			t.Errorf("%s differs; see the difference after go test -update:\n%s", name, text)
		}
	}
}

func TestOrderOfTapsDoesNotMatter(t *testing.T) {
	a, b := two(), two()
	b.Taps[0], b.Taps[1] = b.Taps[1], b.Taps[0]
	x, _ := Render(a)
	if y, _ := Render(b); x != y {
		t.Error("the same router has two texts")
	}
}

func TestMalformedTapsAreLeftOut(t *testing.T) {
	for name, spoil := range map[string]func(*Tap){
		"device":        func(p *Tap) { p.Name = "x\"; drop; #" },
		"long device":   func(p *Tap) { p.Name = "kab-t0123456789" + "0" },
		"MAC":           func(p *Tap) { p.MAC = "02:00:00:00:00" },
		"group MAC":     func(p *Tap) { p.MAC = "03:00:00:00:00:0a" },
		"no address":    func(p *Tap) { p.Address = netip.Addr{} },
		"IPv6":          func(p *Tap) { p.Address = addr("fd00::1") },
		"metadata":      func(p *Tap) { p.Address = addr(Metadata) },
		"other's":       func(p *Tap) { p.Address = addr("10.0.0.10") },
		"public of all": func(p *Tap) { p.Public = addr("0.0.0.0") },
	} {
		r := two()
		spoil(&r.Taps[0])
		r.Taps[0].Name = strings.Replace(r.Taps[0].Name, "kab-tbb", "kab-tbc", 1) // later than the other
		text, err := Render(r)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if strings.Contains(text, "kab-tbc") || strings.Contains(text, "; drop; #") || !strings.Contains(text, "kab-taaaaaaaa") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func flow(protocol uint8, from, to string) Flow {
	a, b := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	return Flow{Protocol: protocol, Source: a, Target: b, Answerer: b, Returns: a}
}

// by returns f as translated: the target answers as another, or the source is
// known to the target as another.
func (f Flow) by(answerer, returns string) Flow {
	if answerer != "" {
		f.Answerer = netip.MustParseAddrPort(answerer)
	}
	if returns != "" {
		f.Returns = netip.MustParseAddrPort(returns)
	}
	return f
}

func TestJudge(t *testing.T) {
	r := two()
	r.Taps[0].Out = []Allow{{Protocol: "tcp", From: 443, To: 443, Peers: cidrs("0.0.0.0/0")}, {Protocol: "udp", From: -1, To: -1, Peers: cidrs("10.0.0.12/32")}}
	j := NewJudge(r)
	for _, c := range []struct {
		name string
		f    Flow
		want bool
	}{
		{"ssh from outside by the public address", flow(6, "203.0.113.9:5000", "198.51.100.7:22").by("10.0.0.10:22", ""), true},
		{"a port that no rule has", flow(6, "203.0.113.9:5000", "198.51.100.7:23").by("10.0.0.10:23", ""), false},
		{"a range's last port", flow(6, "203.0.113.9:5000", "198.51.100.7:8999").by("10.0.0.10:8999", ""), true},
		{"beyond it", flow(6, "203.0.113.9:5000", "198.51.100.7:9000").by("10.0.0.10:9000", ""), false},
		{"a peer that no rule has", flow(6, "203.0.114.9:5000", "198.51.100.7:8000").by("10.0.0.10:8000", ""), false},
		{"a public address that has moved", flow(6, "203.0.113.9:5000", "198.51.100.8:22").by("10.0.0.10:22", ""), false},
		{"from another host", flow(6, "10.0.0.12:5000", "10.0.0.11:5432"), true},
		{"from another host, not allowed", flow(6, "10.0.0.13:5000", "10.0.0.11:5432"), false},
		{"to another host", flow(17, "10.0.0.11:5000", "10.0.0.12:53"), true},
		{"to another host, not allowed", flow(17, "10.0.0.11:5000", "10.0.0.13:53"), false},
		{"out by the host", flow(6, "10.0.0.11:5000", "203.0.113.9:443").by("", "100.64.0.2:5000"), true},
		{"out by the host, not allowed", flow(6, "10.0.0.11:5000", "203.0.113.9:80").by("", "100.64.0.2:5000"), false},
		{"out by an address that is another's", flow(6, "10.0.0.11:5000", "203.0.113.9:443").by("", "198.51.100.7:5000"), false},
		{"out by the public address", flow(6, "10.0.0.10:5000", "203.0.113.9:443").by("", "198.51.100.7:5000"), true},
		{"out by the host from before there was a public address", flow(6, "10.0.0.10:5000", "203.0.113.9:443").by("", "100.64.0.2:5000"), false},
		{"between two guests here, sender's rules", flow(6, "10.0.0.11:5000", "10.0.0.10:22"), false},
		{"between two guests here", flow(6, "10.0.0.10:5000", "10.0.0.11:5432"), true},
		{"metadata", flow(6, "10.0.0.11:5000", "169.254.169.254:80"), true},
		{"DNS", flow(17, "10.0.0.11:5000", "10.0.0.1:53"), true},
		{"of guests that are not here", flow(6, "10.0.0.20:5000", "10.0.0.21:22"), false},
		{"ping of which one type is allowed", flow(1, "203.0.113.9:0", "198.51.100.7:0").by("10.0.0.10:0", ""), false},
		{"ESP", flow(50, "192.0.2.1:0", "198.51.100.7:0").by("10.0.0.10:0", ""), true},
		{"AH", flow(51, "192.0.2.1:0", "198.51.100.7:0").by("10.0.0.10:0", ""), false},
	} {
		if got := j.Allows(c.f); got != c.want {
			t.Errorf("%s: allowed %v, want %v", c.name, got, c.want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("tcp", 22, 22, "0.0.0.0/0")
	f.Add("-1", -1, -1, "10.0.0.0/8")
	f.Add("icmp", 8, 0, "1.2.3.4/32")
	f.Add("58", 0, 0, "::/0")
	f.Add("tcp\naccept", 0, 65536, "")
	f.Fuzz(func(t *testing.T, protocol string, from, to int, peer string) {
		p, _ := netip.ParsePrefix(peer)
		l, ok := Allow{Protocol: protocol, From: from, To: to, Peers: []netip.Prefix{p}}.line("ip saddr", "accept")
		if !ok {
			return
		}
		if !p.Addr().Is4() || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789 .,/{}-") != "" || !strings.HasSuffix(l, " accept") && l != "accept" {
			t.Errorf("%q", l)
		}
	})
}
