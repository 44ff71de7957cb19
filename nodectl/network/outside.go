package network

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"karri/nodectl/network/rules"
	"karri/shared/crash"
	"karri/shared/id"
	"karri/shared/link"
)

// A note is what whoever removes this cloud from the host must know. It is
// kept as the comment of the host's table, so that it lives exactly as long as
// what it is about.
type note struct {
	forwarded string // the host's ip_forward before any cloud came
	uplink    string
}

func (n note) String() string { return "forwarded=" + n.forwarded + " uplink=" + n.uplink }

var noteForm = regexp.MustCompile(`comment "forwarded=([01]?) uplink=([^" ]*)"`)

func readNote(ctx context.Context, host *link.Space, table string) (note, string, bool) {
	text, err := nft(ctx, host, "", "list", "table", "ip", table)
	if err != nil {
		return note{}, "", false
	}
	m := noteForm.FindStringSubmatch(text)
	if m == nil {
		return note{}, text, true
	}
	return note{forwarded: m[1], uplink: m[2]}, text, true
}

var publicForm = regexp.MustCompile(`(?s)set public \{.*?\}\n`)
var addressForm = regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`)

// publicIn reads the public addresses out of the host's table.
func publicIn(text string) (as []netip.Addr) {
	for _, w := range addressForm.FindAllString(publicForm.FindString(text), -1) {
		if a, err := netip.ParseAddr(w); err == nil {
			as = append(as, a)
		}
	}
	return as
}

// bringHost does the host's part: its table, forwarding, and the ways to the
// public addresses of guests in the routers given.
func (n *Network) bringHost(ctx context.Context, ready map[id.VPC]*router) error {
	if n.note == (note{}) {
		if err := n.beginHost(ctx); err != nil {
			return err
		}
	}
	ways := map[netip.Addr]*router{}
	for _, p := range n.places {
		if r := ready[p.Interface.VPC]; r != nil && p.Interface.Public.Is4() {
			ways[p.Interface.Public] = r
		}
	}
	if err := n.loadHost(ctx, ways); err != nil {
		return err
	}
	if err := n.host.Set(map[string]string{"net.ipv4.ip_forward": "1"}); err != nil {
		return err
	}
	crash.Here("network.host-loaded")
	if err := n.routePublic(ready, ways); err != nil {
		return err
	}
	crash.Here("network.public-routed")
	return n.announce(ways)
}

// beginHost reads what a former run, or another cloud, found on this host.
func (n *Network) beginHost(ctx context.Context) error {
	old, text, ok := readNote(ctx, n.host, rules.HostTable(n.opt.Cloud))
	if ok {
		for _, a := range publicIn(text) {
			n.announced[a] = true
		}
	}
	if old.forwarded == "" {
		for _, other := range hostTables(ctx, n.host) {
			if o, _, ok := readNote(ctx, n.host, other); ok && o.forwarded != "" {
				old.forwarded = o.forwarded
				break
			}
		}
	}
	if old.forwarded == "" {
		v, err := n.host.Setting("net.ipv4.ip_forward")
		if err != nil {
			return err
		}
		old.forwarded = v
	}
	old.uplink = n.opt.Uplink
	n.note = old
	return nil
}

func hostTables(ctx context.Context, host *link.Space) []string {
	text, err := nft(ctx, host, "", "list", "tables", "ip")
	if err != nil {
		return nil
	}
	var names []string
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "table ip karri_"); ok {
			names = append(names, "karri_"+name)
		}
	}
	return names
}

func (n *Network) loadHost(ctx context.Context, ways map[netip.Addr]*router) error {
	hosts := slices.Clone(n.opt.Hosts)
	for _, l := range n.orders.Links {
		hosts = append(hosts, l.Endpoint)
	}
	for _, w := range n.orders.Instances {
		for _, v := range w.Volumes { // the stores that serve them
			if a, err := netip.ParseAddrPort(v.Address); err == nil {
				hosts = append(hosts, a.Addr().Unmap())
			}
		}
	}
	text := rules.RenderHost(rules.Host{Cloud: n.opt.Cloud, Devices: "k" + n.opt.Cloud + "-u", Transit: n.opt.Transit,
		Public: slices.Collect(maps.Keys(ways)), Uplink: n.opt.Uplink, Hosts: hosts, Allow: n.opt.Allow, Note: n.note.String()})
	// Others manage rules in the host's own namespace, and some of their tools
	// begin by removing all that there is.
	if text == n.hostRules && slices.Contains(hostTables(ctx, n.host), rules.HostTable(n.opt.Cloud)) {
		return nil
	}
	if err := loadRules(ctx, n.host, text); err != nil {
		return err
	}
	n.hostRules = text
	return nil
}

// routePublic leads each public address to the router that translates it.
func (n *Network) routePublic(ready map[id.VPC]*router, ways map[netip.Addr]*router) error {
	have := map[netip.Addr]*router{}
	for _, r := range ready {
		routes, err := n.host.Routes(r.outer)
		if err != nil {
			return err
		}
		for _, x := range routes {
			if x.To.IsSingleIP() && x.Via == r.transit {
				have[x.To.Addr()] = r
				if ways[x.To.Addr()] != r {
					if err := n.host.RemoveRoute(x); err != nil {
						return err
					}
				}
			}
		}
	}
	for a, r := range ways {
		if have[a] != r {
			if err := n.host.AddRoute(link.Route{To: netip.PrefixFrom(a, 32), Via: r.transit, Device: r.outer}); err != nil {
				return err
			}
		}
	}
	return nil
}

// announce answers for the public addresses on the uplink, tells its
// neighbours of new ones, and stops answering for those that have gone.
func (n *Network) announce(ways map[netip.Addr]*router) error {
	if n.opt.Uplink == "" {
		return nil
	}
	if err := n.host.Set(map[string]string{"net.ipv4.neigh." + n.opt.Uplink + ".proxy_delay": "0"}); err != nil {
		return err
	}
	have, err := n.host.Proxies(n.opt.Uplink)
	if err != nil {
		return err
	}
	for _, a := range have {
		if _, wanted := ways[a]; !wanted && n.announced[a] {
			if err := n.host.RemoveProxy(n.opt.Uplink, a); err != nil {
				return err
			}
			delete(n.announced, a)
		}
	}
	for a := range ways {
		n.announced[a] = true
		if slices.Contains(have, a) {
			continue
		}
		if err := n.host.AddProxy(n.opt.Uplink, a); err != nil {
			return err
		}
		if err := n.host.Announce(n.opt.Uplink, a); err != nil {
			return err
		}
	}
	return nil
}

// Purge removes all that networks of a cloud made on this host, the traffic of
// running guests with it. It needs no state but the kernel's.
func Purge(ctx context.Context, cloud string) error {
	host, err := link.Here()
	if err != nil {
		return err
	}
	defer host.Close()
	return purgeIn(ctx, host, cloud)
}

func purgeIn(ctx context.Context, host *link.Space, cloud string) error {
	if !cloudForm.MatchString(cloud) {
		return fmt.Errorf("purge: %q is not a cloud's id", cloud)
	}
	prefix := "k" + cloud + "-"
	names, err := link.Names(prefix)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, link.Remove(name))
	}
	links, err := host.Links()
	errs = append(errs, err)
	for _, l := range links {
		if strings.HasPrefix(l.Name, prefix) {
			errs = append(errs, host.Delete(l.Name))
		}
	}
	return errors.Join(append(errs, purgeHost(ctx, host, cloud))...)
}

func purgeHost(ctx context.Context, host *link.Space, cloud string) error {
	table := rules.HostTable(cloud)
	was, text, ok := readNote(ctx, host, table)
	if !ok {
		return nil
	}
	var errs []error
	if was.uplink != "" {
		for _, a := range publicIn(text) {
			if err := host.RemoveProxy(was.uplink, a); err != nil && !errors.Is(err, link.ErrMissing) {
				errs = append(errs, err)
			}
		}
	}
	if others := hostTables(ctx, host); len(others) == 1 && was.forwarded == "0" {
		errs = append(errs, host.Set(map[string]string{"net.ipv4.ip_forward": "0"}))
	}
	_, err := nft(ctx, host, "", "delete", "table", "ip", table)
	return errors.Join(append(errs, err)...)
}
