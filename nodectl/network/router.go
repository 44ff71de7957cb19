package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"karri/nodectl/network/rules"
	"karri/shared/crash"
	"karri/shared/id"
	"karri/shared/link"
)

// A router is one VPC on this host: a namespace, found or made.
type router struct {
	net     *Network
	vpc     id.VPC
	space   *link.Space
	transit netip.Addr
	outer   string // the host's end of the uplink

	text  string // rules in force; empty: not known
	swept bool   // no standing connection is older than text and against it

	mu   sync.RWMutex // guards seen, which the services read
	seen view

	services *services
}

// router returns the router of a VPC and makes what is missing of its bare
// frame: namespace, settings, uplink. No tap stands in a new one.
func (n *Network) router(v id.VPC) (*router, error) {
	r := n.routers[v]
	if r == nil {
		s, err := link.Make(RouterName(n.opt.Cloud, v))
		if err != nil {
			return nil, err
		}
		crash.Here("network.router-made")
		r = &router{net: n, vpc: v, space: s, outer: uplinkName(n.opt.Cloud, v)}
		n.routers[v] = r
	}
	if err := r.frame(); err != nil {
		return nil, fmt.Errorf("router of %s: %w", v, err)
	}
	return r, nil
}

// frameSettings: a router forwards, believes no redirects and sends none, does
// not judge by the way back (several taps share an address), and knows no IPv6.
var frameSettings = map[string]string{
	"net.ipv6.conf.all.disable_ipv6":            "1",
	"net.ipv6.conf.default.disable_ipv6":        "1",
	"net.ipv4.conf.all.rp_filter":               "0",
	"net.ipv4.conf.default.rp_filter":           "0",
	"net.ipv4.conf.all.accept_redirects":        "0",
	"net.ipv4.conf.all.send_redirects":          "0",
	"net.ipv4.conf.default.send_redirects":      "0",
	"net.ipv4.ip_forward":                       "1",
	"net.ipv4.icmp_errors_use_inbound_ifaddr":   "1",
	"net.ipv4.conf.all.accept_source_route":     "0",
	"net.ipv4.conf.default.accept_source_route": "0",
}

// trackSettings: a connection is not taken up in its middle, so that a cut one
// stays cut. The kernel may have them only when rules that track are loaded.
var trackSettings = map[string]string{"net.netfilter.nf_conntrack_tcp_loose": "0"}

func (r *router) frame() error {
	if err := r.space.Set(frameSettings); err != nil {
		return err
	}
	if err := r.space.Configure("lo", 0, ""); err != nil {
		return err
	}
	if err := r.space.AddAddress("lo", netip.MustParsePrefix(rules.Metadata+"/32")); err != nil {
		return err
	}
	return r.uplink()
}

// uplink joins the router to its host by a pair of interfaces. The router's
// end has an address of the transit range, the host's end its first.
func (r *router) uplink() error {
	host := r.net.host
	if _, err := r.space.Link(rules.Uplink); errors.Is(err, link.ErrMissing) {
		if err := host.Delete(r.outer); err != nil {
			return err
		}
		if err := host.AddVeth(r.outer, rules.Uplink, r.space); err != nil {
			return err
		}
		crash.Here("network.uplink-made")
	}
	if err := r.space.Configure(rules.Uplink, outerMTU, ""); err != nil {
		return err
	}
	if err := host.Configure(r.outer, outerMTU, ""); err != nil {
		return err
	}
	if err := r.takeTransit(); err != nil {
		return err
	}
	inner, err := r.space.Link(rules.Uplink)
	if err != nil {
		return err
	}
	outer, err := host.Link(r.outer)
	if err != nil {
		return err
	}
	gw, own := r.net.opt.Transit.Masked().Addr().Next(), netip.PrefixFrom(r.transit, 32)
	return firstError(
		func() error {
			return host.Set(map[string]string{"net.ipv6.conf." + r.outer + ".disable_ipv6": "1", "net.ipv4.conf." + r.outer + ".rp_filter": "0"})
		},
		func() error { return host.AddAddress(r.outer, netip.PrefixFrom(gw, 32)) },
		func() error { return host.AddNeighbour(r.outer, link.Neighbour{Address: r.transit, MAC: inner.MAC}) },
		func() error { return host.AddRoute(link.Route{To: own, Device: r.outer}) },
		func() error { return r.space.AddNeighbour(rules.Uplink, link.Neighbour{Address: gw, MAC: outer.MAC}) },
		func() error {
			return r.space.AddRoute(link.Route{To: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: gw, Device: rules.Uplink, Source: r.transit})
		},
	)
}

// takeTransit finds the router's address of the transit range, or gives it the
// first that nothing on this host has a route to.
func (r *router) takeTransit() error {
	have, err := r.space.Addresses(rules.Uplink)
	if err != nil {
		return err
	}
	for _, p := range have {
		if r.net.opt.Transit.Contains(p.Addr()) {
			r.transit = p.Addr()
			return nil
		}
	}
	routes, err := r.net.host.Routes("")
	if err != nil {
		return err
	}
	used := map[netip.Addr]bool{}
	for _, x := range routes {
		used[x.To.Addr()] = used[x.To.Addr()] || x.To.IsSingleIP()
	}
	for _, other := range r.net.routers {
		used[other.transit] = true
	}
	a := r.net.opt.Transit.Masked().Addr().Next().Next()
	for ; used[a]; a = a.Next() {
	}
	if !r.net.opt.Transit.Contains(a.Next()) {
		return fmt.Errorf("transit range %s is used up", r.net.opt.Transit)
	}
	r.transit = a
	return r.space.AddAddress(rules.Uplink, netip.PrefixFrom(a, 32))
}

// bring makes the router as the view says: rules, then the ways to guests.
func (r *router) bring(ctx context.Context, w view) error {
	return firstError(
		func() error { return r.load(ctx, w) },
		func() error { return r.taps(w) },
		func() error { return r.overlay(w) },
		r.serve,
	)
}

// load puts the rules of a view in force and cuts the standing connections
// that they do not allow.
func (r *router) load(ctx context.Context, w view) error {
	text, err := rules.Render(w.rules)
	if err != nil {
		return fmt.Errorf("rules of %s: %w", r.vpc, err)
	}
	if text != r.text {
		if err := loadRules(ctx, r.space, text); err != nil {
			return err
		}
		crash.Here("network.rules-loaded")
		r.text, r.swept = text, false
	}
	r.mu.Lock()
	r.seen = w
	r.mu.Unlock()
	if r.swept {
		return nil
	}
	if err := r.space.Set(trackSettings); err != nil {
		return err
	}
	judge := rules.NewJudge(w.rules)
	cut, err := r.space.CutFlows(func(f link.Flow) bool { return !judge.Allows(rules.Flow(f)) })
	if err != nil {
		return err
	}
	if cut > 0 {
		slog.Info("connections cut", "vpc", r.vpc, "count", cut)
	}
	r.swept = true
	return nil
}

// governs reports whether the rules in force are for a tap.
func (r *router) governs(tap string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.seen.byTap[tap]
	return ok && r.text != "" && r.swept
}

func (r *router) view() view {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.seen
}

// taps configures those taps of the view that stand in the router.
func (r *router) taps(w view) error {
	for _, t := range w.rules.Taps {
		l, err := r.space.Link(t.Name)
		if errors.Is(err, link.ErrMissing) {
			continue
		}
		if err != nil {
			return err
		}
		if err := r.tap(l, t, gateway(w.byTap[t.Name].Interface.CIDR)); err != nil {
			return err
		}
	}
	return nil
}

func (r *router) tap(l link.Link, t rules.Tap, gw netip.Addr) error {
	guest := netip.PrefixFrom(t.Address, 32)
	have, err := r.space.Routes(t.Name)
	if err != nil {
		return err
	}
	for _, x := range have {
		if x.To != guest {
			if err := r.space.RemoveRoute(x); err != nil {
				return err
			}
		}
	}
	return firstError(
		func() error {
			return r.space.Set(map[string]string{
				"net.ipv4.conf." + t.Name + ".proxy_arp":    "1",
				"net.ipv4.conf." + t.Name + ".rp_filter":    "0",
				"net.ipv4.neigh." + t.Name + ".proxy_delay": "0",
			})
		},
		func() error { return r.space.Configure(t.Name, MTU, "") },
		func() error { return r.space.AddAddress(t.Name, netip.PrefixFrom(gw, 32)) },
		func() error { return r.space.AddNeighbour(t.Name, link.Neighbour{Address: t.Address, MAC: t.MAC}) },
		func() error { return r.space.AddRoute(link.Route{To: guest, Device: t.Name, Source: gw}) },
	)
}

func firstError(steps ...func() error) error {
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}

// close ends the router's services; the namespace goes on.
func (r *router) close() {
	if r.services != nil {
		r.services.close()
	}
	r.space.Close()
}

// without returns the routes that no element of wanted equals.
func without(have []link.Route, wanted []link.Route) []link.Route {
	return slices.DeleteFunc(have, func(x link.Route) bool { return slices.Contains(wanted, x) })
}
