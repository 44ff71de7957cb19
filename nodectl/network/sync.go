package network

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"slices"

	"karri/nodectl/network/rules"
	"karri/shared/crash"
	"karri/shared/durable"
	"karri/shared/id"
	"karri/shared/link"
	"karri/shared/wire"
)

// Sync brings routers, rules, routes and tunnels to what the whole list of
// orders wants. It returns the generation that is in force: gen, or the one
// before where a part could not be loaded, with the reason.
func (n *Network) Sync(ctx context.Context, gen uint64, o wire.NodeOrders) (uint64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return n.gen, errClosed
	}
	n.orders = o
	if err := n.take(o); err != nil {
		return n.gen, err
	}
	n.synced = true
	if err := n.bring(ctx); err != nil {
		return n.gen, err
	}
	n.gen = gen
	return gen, nil
}

// take writes down where the ordered interfaces stand, and drops those that
// neither an order nor a tap speaks for.
func (n *Network) take(o wire.NodeOrders) error {
	taps, err := n.standing()
	if err != nil {
		return err
	}
	places, networks := map[id.Interface]place{}, map[id.VPC]wire.Network{}
	maps.Copy(networks, o.Networks)
	for eni, p := range n.places {
		if taps[n.Tap(eni)] {
			places[eni] = p
		}
	}
	for i, w := range o.Instances {
		for _, f := range w.Interfaces {
			if w.Want != wire.Gone || taps[n.Tap(f.ID)] {
				places[f.ID] = n.placeOf(i, f)
			}
		}
	}
	for eni, p := range places {
		v := p.Interface.VPC
		if _, ok := networks[v]; ok {
			continue
		}
		if w, ok := n.networks[v]; ok {
			networks[v] = w
		} else {
			slog.Warn("interface of an unknown network", "interface", eni, "vpc", v)
		}
	}
	return n.remember(places, networks)
}

// placeOf returns the place of an ordered interface. Where the orders say
// nothing of its rules it keeps those that it had; a new one has none, which
// lets nothing pass.
func (n *Network) placeOf(i id.Instance, f wire.Interface) place {
	w, ok := n.orders.Firewalls[f.ID]
	if !ok {
		w = n.places[f.ID].Firewall
	}
	return place{Instance: i, Interface: f, Firewall: w}
}

// standing lists the taps that stand in this cloud's routers.
func (n *Network) standing() (map[string]bool, error) {
	names, err := link.Names("k" + n.opt.Cloud + "-")
	if err != nil {
		return nil, err
	}
	taps := map[string]bool{}
	for _, name := range names {
		s, err := link.Open(name)
		if errors.Is(err, link.ErrMissing) {
			continue
		}
		if err != nil {
			return nil, err
		}
		links, err := s.Links()
		s.Close()
		if err != nil {
			return nil, err
		}
		for _, l := range links {
			taps[l.Name] = true
		}
	}
	return taps, nil
}

type remembered struct {
	Places   map[id.Interface]place  `json:"places"`
	Networks map[id.VPC]wire.Network `json:"networks"`
}

// remember writes places and networks to disk before they are acted on.
func (n *Network) remember(places map[id.Interface]place, networks map[id.VPC]wire.Network) error {
	if reflect.DeepEqual(places, n.places) && reflect.DeepEqual(networks, n.networks) {
		return nil
	}
	b, err := json.Marshal(remembered{places, networks})
	if err != nil {
		return fmt.Errorf("write down places: %w", err)
	}
	if err := os.MkdirAll(n.opt.State, 0o700); err != nil {
		return fmt.Errorf("write down places: %w", err)
	}
	if err := durable.WriteFile(n.stateFile(), b, 0o600); err != nil {
		return fmt.Errorf("write down places: %w", err)
	}
	crash.Here("network.remembered")
	n.places, n.networks = places, networks
	return nil
}

func (n *Network) recall() error {
	b, err := os.ReadFile(n.stateFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var r remembered
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return fmt.Errorf("read places: %w", err)
	}
	if r.Places != nil {
		n.places = r.Places
	}
	if r.Networks != nil {
		n.networks = r.Networks
	}
	return nil
}

// bring makes the world as places, networks and orders say.
func (n *Network) bring(ctx context.Context) error {
	var errs []error
	ready := map[id.VPC]*router{}
	for _, v := range slices.Sorted(maps.Keys(n.networks)) {
		r, err := n.router(v)
		if err == nil {
			err = r.bring(ctx, n.view(v, r.transit))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("network %s: %w", v, err))
			continue
		}
		ready[v] = r
	}
	if err := n.bringHost(ctx, ready); err != nil {
		errs = append(errs, err)
	}
	if err := n.endUnwanted(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// endUnwanted removes the routers of networks that nothing here is in. One
// that still has a tap stays.
func (n *Network) endUnwanted() error {
	names, err := link.Names("k" + n.opt.Cloud + "-")
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		v := id.VPC(name[len(RouterName(n.opt.Cloud, "")):])
		if _, wanted := n.networks[v]; wanted {
			continue
		}
		taps, err := tapsIn(name)
		if err != nil || len(taps) > 0 {
			errs = append(errs, err)
			continue
		}
		if r := n.routers[v]; r != nil {
			r.close()
			delete(n.routers, v)
		}
		errs = append(errs, link.Remove(name))
	}
	return errors.Join(errs...)
}

func tapsIn(name string) ([]string, error) {
	s, err := link.Open(name)
	if errors.Is(err, link.ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer s.Close()
	links, err := s.Links()
	var taps []string
	for _, l := range links {
		if l.Name != "lo" && l.Name != rules.Overlay && l.Name != rules.Uplink {
			taps = append(taps, l.Name)
		}
	}
	return taps, err
}

// A view is what a router must know of its VPC.
type view struct {
	rules   rules.Router
	network wire.Network
	ways    map[netip.Addr]int // guest elsewhere -> index of its node
	peers   map[int]netip.Addr // index of node -> endpoint
	self    int                // this node's index; 0: no overlay
	byTap   map[string]place
	names   map[string]netip.Addr // private host names
}

func (n *Network) view(v id.VPC, transit netip.Addr) view {
	w := view{network: n.networks[v], ways: map[netip.Addr]int{}, peers: map[int]netip.Addr{}, byTap: map[string]place{}, names: map[string]netip.Addr{}}
	w.rules.Transit = transit
	gateways := map[netip.Addr]bool{}
	w.rules.Inside = append(w.rules.Inside, w.network.CIDR)
	for _, p := range slices.SortedFunc(maps.Values(w.network.Subnets), func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) }) {
		w.rules.Inside = append(w.rules.Inside, p)
		gateways[gateway(p)] = true
	}
	for _, p := range n.places {
		if p.Interface.VPC != v {
			continue
		}
		t := n.tap(p)
		w.rules.Taps = append(w.rules.Taps, t)
		w.byTap[t.Name] = p
		w.names[hostName(p.Interface.Address)] = p.Interface.Address
		gateways[gateway(p.Interface.CIDR)] = true
	}
	sound, err := w.rules.Sound()
	if err != nil {
		slog.Warn("interfaces left without rules", "vpc", v, "error", err)
		maps.DeleteFunc(w.byTap, func(name string, _ place) bool {
			return !slices.ContainsFunc(sound.Taps, func(t rules.Tap) bool { return t.Name == name })
		})
	}
	w.rules = sound
	w.rules.Gateways = slices.SortedFunc(maps.Keys(gateways), netip.Addr.Compare)
	for _, m := range n.orders.Remotes {
		l, ok := n.orders.Links[m.Node]
		if m.VPC != v || m.Node == n.opt.Node || !ok {
			continue
		}
		w.ways[m.Address] = l.Index
		w.rules.Remotes = append(w.rules.Remotes, m.Address)
		w.names[hostName(m.Address)] = m.Address
	}
	if me, ok := n.orders.Links[n.opt.Node]; ok && n.opt.Endpoint.IsValid() {
		for name, l := range n.orders.Links {
			if name != n.opt.Node && l.Endpoint.Is4() {
				w.peers[l.Index] = l.Endpoint
			}
		}
		if len(w.peers) > 0 {
			w.self = me.Index
		}
	}
	return w
}
