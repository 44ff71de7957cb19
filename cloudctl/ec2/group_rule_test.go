package ec2

import (
	"net/netip"
	"testing"

	"karri/cloudctl/store"
)

// What is taken is in its one form: read again, it stays as it is.
func FuzzTrafficOf(f *testing.F) {
	for _, p := range []string{"tcp", "UDP", "icmp", "-1", "all", "6", "50", "58", "256", "007", "", "ipx", "-2"} {
		f.Add(p, 22, 22)
		f.Add(p, -1, -1)
		f.Add(p, 8, -1)
		f.Add(p, 65536, 0)
	}
	f.Fuzz(func(t *testing.T, protocol string, from, to int) {
		r, err := trafficOf(&protocol, &from, &to)
		if err != nil {
			return
		}
		ports := r.Protocol == "tcp" || r.Protocol == "udp"
		switch {
		case ports && (r.From < 0 || r.To > 65535 || r.From > r.To):
			t.Errorf("%q %d-%d has the ports %d-%d", protocol, from, to, r.From, r.To)
		case !ports && r.Protocol != "icmp" && (r.From != -1 || r.To != -1):
			t.Errorf("%q has ports", protocol)
		}
		if again, err := trafficOf(&r.Protocol, &r.From, &r.To); err != nil || again != r {
			t.Errorf("%+v read again is %+v, %v", r, again, err)
		}
	})
}

func FuzzRangeOf(f *testing.F) {
	for _, s := range []string{"0.0.0.0/0", "10.1.2.3/8", "10.0.0.0/33", "10.0.0.0", "::/0", "::ffff:10.0.0.1/96", "1.2.3.4/032", "", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := rangeOf(s)
		if err != nil {
			return
		}
		p, err := netip.ParsePrefix(c)
		if err != nil || !p.Addr().Is4() || p != p.Masked() {
			t.Errorf("%q became %q: %v", s, c, err)
		}
		if again, err := rangeOf(c); err != nil || again != c {
			t.Errorf("%q read again is %q, %v", c, again, err)
		}
	})
}

func TestRuleWords(t *testing.T) {
	for want, r := range map[string]store.Rule{
		"peer: 0.0.0.0/0, TCP, from port: 22, to port: 23, ALLOW": {Protocol: "tcp", From: 22, To: 23, CIDR: "0.0.0.0/0"},
		"peer: sg-1, ALL, ALLOW":                                  {Protocol: "-1", From: -1, To: -1, Peer: "sg-1"},
		"peer: sg-1, ICMP, type: 8, code: -1, ALLOW":              {Protocol: "icmp", From: 8, To: -1, Peer: "sg-1"},
		"peer: 1.2.3.4/32, 50, ALLOW":                             {Protocol: "50", From: -1, To: -1, CIDR: "1.2.3.4/32"},
	} {
		if got := ruleWords(&r); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
