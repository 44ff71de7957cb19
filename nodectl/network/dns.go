package network

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"karri/nodectl/network/rules"
)

const (
	nameTTL     = 60 // seconds that guests may remember a private name
	maxForwards = 64 // questions of one VPC that wait for the host's resolvers at once
	forwardTime = 5 * time.Second
)

// hostName returns the private name of an address, as EC2 forms it.
func hostName(a netip.Addr) string { return "ip-" + strings.ReplaceAll(a.String(), ".", "-") }

// names answers the questions of one router's guests: the VPC's own names and
// addresses from the orders, all else by the host's resolvers.
type names struct {
	view    func() view
	forward *resolver
	waiting chan struct{}
}

func newNames(v func() view, f *resolver) *names {
	return &names{view: v, forward: f, waiting: make(chan struct{}, maxForwards)}
}

// ServeDNS answers one question.
func (n *names) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	ans := n.answer(w.LocalAddr().Network(), q)
	if ans != nil {
		// The guest that does not wait for its answer has no one to tell.
		_ = w.WriteMsg(ans)
	}
}

func (n *names) answer(transport string, q *dns.Msg) *dns.Msg {
	ans := new(dns.Msg)
	if q.Response {
		return nil
	}
	if q.Opcode != dns.OpcodeQuery || len(q.Question) != 1 || q.Question[0].Qclass != dns.ClassINET {
		return ans.SetRcode(q, dns.RcodeNotImplemented)
	}
	ans.SetReply(q)
	ans.RecursionAvailable = true
	switch q.Question[0].Qtype {
	case dns.TypeAXFR, dns.TypeIXFR, dns.TypeANY:
		ans.Rcode = dns.RcodeRefused
		return ans
	}
	if own(ans, q.Question[0], n.view()) {
		return ans
	}
	select {
	case n.waiting <- struct{}{}:
		defer func() { <-n.waiting }()
	default:
		ans.Rcode = dns.RcodeServerFailure
		return ans
	}
	return n.forward.ask(transport, q)
}

// own answers from what the VPC knows, and reports false for a name that is
// not the VPC's.
func own(ans *dns.Msg, q dns.Question, v view) bool {
	name := strings.ToLower(q.Name)
	head := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: nameTTL}
	if domain := dns.Fqdn(strings.ToLower(v.network.Domain)); domain != "." && (name == domain || strings.HasSuffix(name, "."+domain)) {
		ans.Authoritative = true
		a, ok := v.lookup(strings.TrimSuffix(name, "."+domain))
		switch {
		case !ok && name != domain:
			ans.Rcode = dns.RcodeNameError
		case ok && q.Qtype == dns.TypeA:
			ans.Answer = append(ans.Answer, &dns.A{Hdr: head, A: a.AsSlice()})
		}
		return true
	}
	a, ok := reversed(name)
	if !ok || !v.network.CIDR.Contains(a) {
		return false
	}
	ans.Authoritative = true
	switch _, known := v.names[hostName(a)]; {
	case !known:
		ans.Rcode = dns.RcodeNameError
	case q.Qtype == dns.TypePTR:
		ans.Answer = append(ans.Answer, &dns.PTR{Hdr: head, Ptr: hostName(a) + "." + dns.Fqdn(v.network.Domain)})
	}
	return true
}

// lookup returns the address of a first label of the VPC's domain. A public
// name says its address; for a guest of this router it is the private one, as
// EC2 answers inside a VPC.
func (v view) lookup(label string) (netip.Addr, bool) {
	if label == "instance-data" {
		return netip.MustParseAddr(rules.Metadata), true
	}
	if a, ok := v.names[label]; ok {
		return a, true
	}
	digits, ok := strings.CutPrefix(label, "ec2-")
	if !ok {
		return netip.Addr{}, false
	}
	public, err := netip.ParseAddr(strings.ReplaceAll(digits, "-", "."))
	if err != nil || !public.Is4() || strings.Contains(digits, ".") {
		return netip.Addr{}, false
	}
	for _, p := range v.byTap {
		if p.Interface.Public == public {
			return p.Interface.Address, true
		}
	}
	return public, true
}

// reversed returns the address that a name under in-addr.arpa stands for.
func reversed(name string) (netip.Addr, bool) {
	parts := strings.Split(strings.TrimSuffix(name, ".in-addr.arpa."), ".")
	if len(parts) != 4 || !strings.HasSuffix(name, ".in-addr.arpa.") {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
	return a, err == nil
}

// A resolver passes questions on to the host's own resolvers.
type resolver struct {
	path string

	mu      sync.Mutex
	read    time.Time
	servers []string
}

func newResolver(path string) *resolver { return &resolver{path: path} }

// list returns the host's resolvers, read again now and then.
func (r *resolver) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.read) < 10*time.Second && !r.read.IsZero() {
		return r.servers
	}
	r.read, r.servers = time.Now(), nil
	if c, err := dns.ClientConfigFromFile(r.path); err == nil {
		for _, s := range c.Servers {
			r.servers = append(r.servers, net.JoinHostPort(s, c.Port))
		}
	}
	return r.servers
}

// ask returns the first answer of the host's resolvers, or a server failure.
// The question goes on by the same transport under an id of its own; what is
// too long for a datagram comes back marked so, and the guest asks by TCP.
func (r *resolver) ask(transport string, q *dns.Msg) *dns.Msg {
	ctx, cancel := context.WithTimeout(context.Background(), forwardTime)
	defer cancel()
	c := &dns.Client{Net: transport, Timeout: forwardTime / 2}
	out := q.Copy()
	for _, s := range r.list() {
		out.Id = dns.Id()
		ans, _, err := c.ExchangeContext(ctx, out, s)
		if err != nil || ans.Rcode == dns.RcodeServerFailure || len(ans.Question) != 1 || !strings.EqualFold(ans.Question[0].Name, q.Question[0].Name) {
			continue
		}
		ans.Id, ans.Question = q.Id, q.Question
		return ans
	}
	return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
}
