package rules

import (
	"fmt"
	"net/netip"
	"testing"
)

// many is a router with n guests of 20 rules each, the last of 100 peers.
func many(n int) Router {
	r := Router{Gateways: []netip.Addr{addr("10.0.0.1")}, Transit: addr("100.64.0.2")}
	var members []netip.Prefix
	for i := range 100 {
		members = append(members, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 200, byte(i)}), 32))
	}
	for i := range n {
		t := Tap{Name: fmt.Sprintf("kab-t%08d", i), MAC: fmt.Sprintf("02:00:00:00:%02x:%02x", i>>8, i&255), Address: netip.AddrFrom4([4]byte{10, 0, byte(1 + i>>8), byte(i)}), SourceCheck: true, Out: all}
		for p := range 19 {
			t.In = append(t.In, Allow{Protocol: "tcp", From: p + 1, To: p + 1, Peers: cidrs("203.0.113.0/24")})
		}
		t.In = append(t.In, Allow{Protocol: "tcp", From: 443, To: 443, Peers: members})
		r.Taps = append(r.Taps, t)
	}
	return r
}

func BenchmarkRender100(b *testing.B) {
	r := many(100)
	for b.Loop() {
		if _, err := Render(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJudge100(b *testing.B) {
	j := NewJudge(many(100))
	f := flow(6, "10.0.200.99:5000", "10.0.1.50:443")
	if !j.Allows(f) {
		b.Fatal("not allowed")
	}
	for b.Loop() {
		j.Allows(f)
	}
}
