package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"karri/nodectl/network/rules"
	"karri/shared/crash"
	"karri/shared/link"
)

// tunnelAddress returns the address by which a node of the zone is known
// inside overlays: link-local, so that it can be no guest's.
func tunnelAddress(index int) netip.Addr {
	if index == 169<<8|254 { // would be the metadata service's
		index = 65535
	}
	return netip.AddrFrom4([4]byte{169, 254, byte(index >> 8), byte(index)})
}

func tunnelMAC(index int) string {
	return fmt.Sprintf("02:fe:00:00:%02x:%02x", index>>8&0xff, index&0xff)
}

// overlay joins the router to the VPC's routers on other hosts. The device is
// made in the host's namespace, where its packets go out, and moved here.
// Nothing is learned: each way is set from the orders.
func (r *router) overlay(w view) error {
	if w.self == 0 {
		return r.space.Delete(rules.Overlay)
	}
	if err := r.device(w); err != nil {
		return err
	}
	if err := r.peers(w); err != nil {
		return err
	}
	var wanted []link.Route
	for guest, index := range w.ways {
		if _, ok := w.peers[index]; ok {
			wanted = append(wanted, link.Route{To: netip.PrefixFrom(guest, 32), Via: tunnelAddress(index), Device: rules.Overlay})
		}
	}
	have, err := r.space.Routes(rules.Overlay)
	if err != nil {
		return err
	}
	for _, x := range without(slices.Clone(have), wanted) {
		if err := r.space.RemoveRoute(x); err != nil {
			return err
		}
	}
	for _, x := range without(wanted, have) {
		if err := r.space.AddRoute(x); err != nil {
			return err
		}
	}
	return nil
}

func (r *router) device(w view) error {
	o := r.net.opt
	want := link.VXLAN{ID: w.network.VNI, Port: o.VXLANPort, Local: o.Endpoint}
	have, err := r.space.Link(rules.Overlay)
	if err == nil && (have.VXLAN == nil || *have.VXLAN != want) {
		if err := r.space.Delete(rules.Overlay); err != nil {
			return err
		}
		err = link.ErrMissing
	}
	if errors.Is(err, link.ErrMissing) {
		name := overlayName(o.Cloud, r.vpc)
		err = firstError(
			func() error { return r.net.host.Delete(name) }, // left by a crash before the move
			func() error { return r.space.Delete(name) },    // or after it
			func() error { return r.net.host.AddVXLAN(name, want) },
			func() error { crash.Here("network.overlay-made"); return r.net.host.Move(name, r.space) },
			func() error { crash.Here("network.overlay-moved"); return r.space.Rename(name, rules.Overlay) },
		)
	}
	if err != nil {
		return err
	}
	if err := r.space.Configure(rules.Overlay, MTU, tunnelMAC(w.self)); err != nil {
		return err
	}
	own := netip.PrefixFrom(tunnelAddress(w.self), 32)
	have2, err := r.space.Addresses(rules.Overlay)
	if err != nil {
		return err
	}
	for _, p := range have2 {
		if p != own {
			if err := r.space.RemoveAddress(rules.Overlay, p); err != nil {
				return err
			}
		}
	}
	return r.space.AddAddress(rules.Overlay, own)
}

// peers brings neighbours and forwarding entries to one per other node.
func (r *router) peers(w view) error {
	var neighbours []link.Neighbour
	var forwardings []link.Forwarding
	for index, endpoint := range w.peers {
		neighbours = append(neighbours, link.Neighbour{Address: tunnelAddress(index), MAC: tunnelMAC(index)})
		forwardings = append(forwardings, link.Forwarding{MAC: tunnelMAC(index), To: endpoint})
	}
	haveN, err := r.space.Neighbours(rules.Overlay)
	if err != nil {
		return err
	}
	haveF, err := r.space.Forwardings(rules.Overlay)
	if err != nil {
		return err
	}
	for _, x := range haveN {
		if !slices.Contains(neighbours, x) {
			if err := r.space.RemoveNeighbour(rules.Overlay, x); err != nil {
				return err
			}
		}
	}
	for _, x := range haveF {
		if !slices.Contains(forwardings, x) {
			if err := r.space.RemoveForwarding(rules.Overlay, x); err != nil {
				return err
			}
		}
	}
	for _, x := range neighbours {
		if !slices.Contains(haveN, x) {
			if err := r.space.AddNeighbour(rules.Overlay, x); err != nil {
				return err
			}
		}
	}
	for _, x := range forwardings {
		if !slices.Contains(haveF, x) {
			if err := r.space.AddForwarding(rules.Overlay, x); err != nil {
				return err
			}
		}
	}
	return nil
}
