package network

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"karri/nodectl/network/rules"
	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/link"
	"karri/shared/wire"
)

// Plug moves the taps of a paused machine into their routers and returns when
// their addresses, routes and rules are in force; rules first.
func (n *Network) Plug(ctx context.Context, i id.Instance, w wire.Instance) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return errClosed
	}
	places := maps.Clone(n.places)
	for _, f := range w.Interfaces {
		if _, ok := n.networks[f.VPC]; !ok || !n.synced {
			return n.notReady(f.VPC)
		}
		places[f.ID] = n.placeOf(i, f)
	}
	if err := n.remember(places, n.networks); err != nil {
		return err
	}
	for _, f := range w.Interfaces {
		r, err := n.router(f.VPC)
		if err != nil {
			return err
		}
		if err := r.load(ctx, n.view(f.VPC, r.transit)); err != nil {
			return err
		}
		if !r.governs(n.Tap(f.ID)) {
			return fault.New(fault.Later, "AddressInUse", "The address %s of %s is held by another interface on this host.", f.Address, f.ID)
		}
		if err := n.move(n.Tap(f.ID), r); err != nil {
			return err
		}
		crash.Here("network.tap-moved")
		if err := r.bring(ctx, n.view(f.VPC, r.transit)); err != nil {
			return err
		}
	}
	return n.bringHost(ctx, n.routers)
}

// move puts a tap that the hypervisor made into its router.
func (n *Network) move(tap string, r *router) error {
	_, err := r.space.Link(tap)
	if err == nil {
		return nil
	}
	if !errors.Is(err, link.ErrMissing) {
		return err
	}
	err = n.host.Move(tap, r.space)
	if errors.Is(err, link.ErrMissing) {
		return fault.New(fault.Later, "TapMissing", "The machine's interface %s is not there.", tap).Because(err)
	}
	return err
}

// Plugged reports whether all interfaces of an instance stand in their routers
// with their routes, and the rules for them are in force.
func (n *Network) Plugged(_ context.Context, _ id.Instance, w wire.Instance) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range w.Interfaces {
		r := n.routers[f.VPC]
		if r == nil || !r.governs(n.Tap(f.ID)) {
			return false, nil
		}
		routes, err := r.space.Routes(n.Tap(f.ID))
		if errors.Is(err, link.ErrMissing) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(routes, func(x link.Route) bool { return x.To == netip.PrefixFrom(f.Address, 32) }) {
			return false, nil
		}
	}
	return true, nil
}

// Unplug removes what Plug made. The taps of a machine that is off have ended
// with it; one that is still there is removed. An instance that is not ordered
// any more is known by what Plug wrote down.
func (n *Network) Unplug(ctx context.Context, i id.Instance, w wire.Instance) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return errClosed
	}
	vpcs := map[id.Interface]id.VPC{}
	for _, f := range w.Interfaces {
		vpcs[f.ID] = f.VPC
	}
	places := maps.Clone(n.places)
	for eni, p := range n.places {
		if p.Instance == i {
			vpcs[eni] = p.Interface.VPC
		}
	}
	for eni, v := range vpcs {
		if err := removeTap(RouterName(n.opt.Cloud, v), n.Tap(eni)); err != nil {
			return err
		}
		if o, ordered := n.orders.Instances[i]; !ordered || o.Want == wire.Gone {
			delete(places, eni)
		}
		crash.Here("network.tap-removed")
	}
	if err := n.remember(places, n.networks); err != nil {
		return err
	}
	if !n.synced {
		return nil
	}
	return n.bring(ctx)
}

func removeTap(space, tap string) error {
	s, err := link.Open(space)
	if errors.Is(err, link.ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Delete(tap); err != nil {
		return fmt.Errorf("unplug: %w", err)
	}
	return nil
}

// A Traffic counts what the rules of a router refused since they were loaded.
type Traffic map[string]uint64

// Refused returns the counters of a VPC's router: spoofed, refused_in,
// refused_out, refused_here.
func (n *Network) Refused(ctx context.Context, v id.VPC) (Traffic, error) {
	s, err := link.Open(RouterName(n.opt.Cloud, v))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	t := Traffic{}
	for _, family := range []string{"inet", "arp"} {
		if err := readCounters(ctx, s, family, rules.Table, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}
