// Package network gives the instances of one host their places in their VPCs.
//
// Each VPC that has an instance here has a router: a network namespace in which
// the instances' taps stand directly, each with the subnet's router address, a
// /32 route and a permanent neighbour; there is no bridge. The router filters
// (package rules), answers DHCP, DNS and metadata, is joined to the VPC's
// routers on other hosts by a VXLAN device whose neighbours and forwarding
// entries come from the orders, and to its own host by a pair of interfaces,
// by which guests reach the world and public addresses reach them. Ranges of
// different VPCs may overlap: they never meet in one namespace.
//
// The kernel is the truth: every call reads what is there and changes only what
// differs, so it may be repeated, may die anywhere, and a restarted daemon
// finds its routers with their guests' traffic flowing. Rules are loaded before
// a tap is plugged and before routes change. A tap that no order names keeps
// the rules that it last had (they are kept in a file for that), since silence
// ends nothing. All that is made carries the cloud's id in its name, and Purge
// removes exactly that.
package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"karri/nodectl/network/rules"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/link"
	"karri/shared/wire"
)

// MTU is what guests are told to use: that of Ethernet less VXLAN's headers.
const MTU = 1450

const outerMTU = 1500

// Options are what a network must know of its host.
type Options struct {
	Cloud     string           // 1 to 4 letters and digits; unique among the nodes that share a machine
	Node      string           // the name of this node among the links of its orders
	State     string           // folder for what must outlive a restart
	Endpoint  netip.Addr       // of the VXLAN; zero: this host is alone
	VXLANPort int              // UDP
	Transit   netip.Prefix     // addresses between host and routers, unused elsewhere; default 100.64.0.0/16
	Uplink    string           // interface on which public addresses are announced; empty: only routed from this host
	Hosts     []netip.Addr     // more machines that no guest may speak to
	Allow     []netip.AddrPort // the cloud's public endpoints, which guests may use all the same
	Resolvers string           // default /etc/resolv.conf

	// Metadata serves the metadata listener of a VPC until the context ends.
	Metadata func(ctx context.Context, vpc id.VPC, l net.Listener) error
}

// A Network is all routers of this host.
type Network struct {
	opt      Options
	host     *link.Space
	resolver *resolver

	mu        sync.Mutex
	closed    bool
	synced    bool
	gen       uint64 // in force
	orders    wire.NodeOrders
	places    map[id.Interface]place
	networks  map[id.VPC]wire.Network
	routers   map[id.VPC]*router
	hostRules string
	note      note
	announced map[netip.Addr]bool
}

// A place is where an interface of an instance stands. It is kept as long as
// an order names it or its tap is there.
type place struct {
	Instance  id.Instance    `json:"instance"`
	Interface wire.Interface `json:"interface"`
	Firewall  wire.Firewall  `json:"firewall"`
}

var cloudForm = regexp.MustCompile(`^[a-z0-9]{1,4}$`)

// New returns the network of this host. It changes nothing before Sync.
func New(o Options) (*Network, error) {
	host, err := link.Here()
	if err != nil {
		return nil, err
	}
	n, err := newIn(host, o)
	if err != nil {
		host.Close()
	}
	return n, err
}

func newIn(host *link.Space, o Options) (*Network, error) {
	if !cloudForm.MatchString(o.Cloud) {
		return nil, fault.New(fault.Invalid, "InvalidCloud", "The cloud's id %q is not 1 to 4 small letters and digits.", o.Cloud)
	}
	if !o.Transit.IsValid() {
		o.Transit = netip.MustParsePrefix("100.64.0.0/16")
	}
	if !o.Transit.Addr().Is4() || o.Transit.Bits() > 24 {
		return nil, fault.New(fault.Invalid, "InvalidTransit", "The transit range %s is not IPv4 with at least 256 addresses.", o.Transit)
	}
	if o.Resolvers == "" {
		o.Resolvers = "/etc/resolv.conf"
	}
	n := &Network{opt: o, host: host, resolver: newResolver(o.Resolvers), places: map[id.Interface]place{},
		networks: map[id.VPC]wire.Network{}, routers: map[id.VPC]*router{}, announced: map[netip.Addr]bool{}}
	return n, n.recall()
}

// Close ends the services of all routers and leaves the routers as they are.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	for _, r := range n.routers {
		r.close()
	}
	n.routers = map[id.VPC]*router{}
	n.host.Close()
	return nil
}

// Tap names the host's end of an interface.
func (n *Network) Tap(i id.Interface) string { return TapName(n.opt.Cloud, i) }

// TapName names the host's end of an interface of a cloud.
func TapName(cloud string, i id.Interface) string { return "k" + cloud + "-t" + short(string(i)) }

func uplinkName(cloud string, v id.VPC) string { return "k" + cloud + "-u" + short(string(v)) }

func overlayName(cloud string, v id.VPC) string { return "k" + cloud + "-x" + short(string(v)) }

// RouterName names the namespace of a VPC's router.
func RouterName(cloud string, v id.VPC) string { return "k" + cloud + "-" + string(v) }

// short returns as many digits of an id as an interface's name has room for.
func short(s string) string {
	s = s[strings.LastIndexByte(s, '-')+1:]
	return s[:min(8, len(s))]
}

func (n *Network) stateFile() string { return filepath.Join(n.opt.State, "places.json") }

// tap returns the rules' form of a place.
func (n *Network) tap(p place) rules.Tap {
	f := p.Interface
	return rules.Tap{Name: n.Tap(f.ID), MAC: strings.ToLower(f.MAC), Address: f.Address, Public: f.Public,
		SourceCheck: f.SourceCheck, In: allows(p.Firewall.In), Out: allows(p.Firewall.Out)}
}

func allows(fs []wire.FlatRule) []rules.Allow {
	as := make([]rules.Allow, len(fs))
	for i, f := range fs {
		as[i] = rules.Allow{Protocol: f.Protocol, From: f.From, To: f.To, Peers: f.Peers}
	}
	return as
}

// gateway returns the router's address in a subnet: the first.
func gateway(subnet netip.Prefix) netip.Addr { return subnet.Masked().Addr().Next() }

var errClosed = fault.New(fault.Later, "NetworkClosed", "The network of this host is being shut down.")

func (n *Network) notReady(v id.VPC) error {
	return fault.New(fault.Later, "NetworkNotReady", "The network %s has not been set up on this host yet.", v).
		Because(fmt.Errorf("synced: %v", n.synced))
}
