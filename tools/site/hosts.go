package site

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
)

// A Host is a place where daemons run.
type Host struct {
	Name  string     // node1
	NS    string     // network namespace; empty: the machine's own
	Addr  netip.Addr // where the other components reach it
	index int
}

// The underlay of a lab: the control plane is at .2, hosts from .11 on.
var (
	underlay    = netip.MustParsePrefix("10.77.0.0/16")
	controlAddr = netip.MustParseAddr("10.77.0.2")
)

const underlayMTU = 1550 // room for VXLAN around the guests' 1450 and more

// NodeHosts returns where the nodes of s run.
func (s *Site) NodeHosts() []Host {
	if s.Hosts == 0 {
		return []Host{{Name: "node1", Addr: netip.MustParseAddr("127.0.0.1"), index: 1}}
	}
	var all []Host
	for i := 1; i <= s.Hosts; i++ {
		addr := netip.AddrFrom4([4]byte{10, 77, 0, byte(10 + i)})
		all = append(all, Host{Name: fmt.Sprintf("node%d", i), NS: s.namespace(fmt.Sprint("h", i)), Addr: addr, index: i})
	}
	return all
}

// Control returns where cloudctl, walrus, blockstore, clusterctl and users are.
func (s *Site) Control() Host {
	if s.Hosts == 0 {
		return Host{Name: "control", Addr: netip.MustParseAddr("127.0.0.1")}
	}
	return Host{Name: "control", NS: s.namespace("c"), Addr: controlAddr}
}

func (s *Site) namespace(name string) string { return "k" + s.Cloud + "-" + name }

// Within returns args such that the program runs in the namespace of h. It is
// entered by nsenter: ip netns exec would give the program mounts of its own,
// and the namespaces that a node makes would be seen by nobody else.
func (h Host) Within(args ...string) []string {
	if h.NS == "" {
		return args
	}
	return append([]string{"nsenter", "--net=/run/netns/" + h.NS, "--"}, args...)
}

// wire makes the namespaces of a lab and joins them by a bridge.
func (s *Site) wire(ctx context.Context) error {
	if s.Hosts == 0 {
		return nil
	}
	u := s.namespace("u")
	if exists(u) {
		return nil
	}
	cmds := [][]string{
		{"ip", "netns", "add", u},
		{"ip", "-n", u, "link", "add", "under", "mtu", fmt.Sprint(underlayMTU), "type", "bridge"},
		{"ip", "-n", u, "link", "set", "under", "up"},
	}
	for i, h := range append(s.NodeHosts(), s.Control()) {
		port := fmt.Sprint("port", i)
		cmds = append(cmds,
			[]string{"ip", "netns", "add", h.NS},
			[]string{"ip", "-n", h.NS, "link", "set", "lo", "up"},
			[]string{"ip", "link", "add", port, "netns", u, "mtu", fmt.Sprint(underlayMTU), "type", "veth", "peer", "name", "eth0", "netns", h.NS, "mtu", fmt.Sprint(underlayMTU)},
			[]string{"ip", "-n", u, "link", "set", port, "master", "under", "up"},
			[]string{"ip", "-n", h.NS, "addr", "add", fmt.Sprintf("%s/%d", h.Addr, underlay.Bits()), "dev", "eth0"},
			[]string{"ip", "-n", h.NS, "link", "set", "eth0", "up"},
		)
	}
	for _, c := range cmds {
		if err := run(ctx, c...); err != nil {
			return err
		}
	}
	return nil
}

// unwire removes the namespaces that wire made; what stands in them goes along.
func (s *Site) unwire(ctx context.Context) error {
	if s.Hosts == 0 {
		return nil
	}
	var err error
	for _, h := range append(s.NodeHosts(), s.Control(), Host{NS: s.namespace("u")}) {
		if exists(h.NS) {
			err = errors.Join(err, run(ctx, "ip", "netns", "del", h.NS))
		}
	}
	return err
}

func exists(ns string) bool {
	_, err := os.Stat("/run/netns/" + ns)
	return err == nil
}

// run runs a program; its words are in the error.
func run(ctx context.Context, args ...string) error {
	_, err := output(ctx, args...)
	return err
}

// output runs a program and returns what it prints.
func output(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
