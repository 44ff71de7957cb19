// Package daemon wires a nodectl.
//
// What it keeps is in the state folder:
//
//	orders/      what clusterctl wants, on disk before it is acknowledged
//	instances/   a folder per instance: disk, console, note
//	images/      images by the hash of their bytes
//	libvirt/     the folders of a libvirtd of our own, unless --libvirt names another
//	network/     where interfaces stand
//
// Nothing that runs depends on this process: killed at any moment, it finds
// machines, taps and rules as they are when it starts again, with the orders
// that it last accepted.
package daemon

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"karri/nodectl/api"
	"karri/nodectl/disk"
	"karri/nodectl/host"
	"karri/nodectl/hypervisor"
	"karri/nodectl/keep"
	"karri/nodectl/libvirtd"
	"karri/nodectl/metadata"
	"karri/nodectl/network"
	"karri/nodectl/probe"
	"karri/shared/config"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/wire"
)

// Config is the configuration of nodectl.
type Config struct {
	service.Flags
	Zone        string   `flag:"zone" required:"true" help:"availability zone of this host"`
	Name        string   `flag:"name" required:"true" help:"name of this host in its zone"`
	Cloud       string   `flag:"cloud" default:"k" help:"1 to 4 small letters and digits, part of every name made on this host; unique among the clouds and nodes that share a machine"`
	Libvirt     string   `flag:"libvirt" help:"socket of a libvirtd to use; one of our own is started, when not given"`
	QEMUUser    int      `flag:"qemu-user" default:"64055" help:"user that QEMU runs as when it is tried out, and the group of all guests"`
	GuestUsers  int      `flag:"guest-users" help:"first of the 512 users that guests run as, each as one of its own; when not given, from a range that belongs to --cloud alone"`
	Accelerator string   `flag:"accelerator" default:"auto" help:"kvm, qemu (emulation), or auto: what a probe guest measures"`
	Endpoint    string   `flag:"endpoint" help:"address of this host for the other hosts' VXLAN packets; none: it is alone"`
	VXLANPort   int      `flag:"vxlan-port" default:"4789" help:"UDP port of VXLAN"`
	Transit     string   `flag:"transit" default:"100.64.0.0/16" help:"addresses between this host and its routers, unused elsewhere"`
	Uplink      string   `flag:"uplink" help:"interface on which public addresses are announced; none: they are routed from this host alone"`
	Hosts       []string `flag:"hosts" help:"addresses of more machines that no guest may speak to"`
	Allow       []string `flag:"allow" help:"host:port of endpoints of the cloud that guests may use all the same"`
	VCPUs       int      `flag:"vcpus" help:"virtual processors to give out; 8 for each of the host's, when not given"`
	MemoryMiB   int      `flag:"memory-mib" help:"memory to give out; four fifths of the host's, when not given"`
	DiskGiB     int      `flag:"disk-gib" help:"disk to give out; four fifths of the state folder's file system, when not given"`
	CacheGiB    int64    `flag:"cache-gib" default:"20" help:"how large the image cache may grow with images that no instance uses"`

	// Host takes the place of libvirt, disks and networks in a cloud that is
	// pretended; nil: the real ones.
	Host Pretended
}

// Pretended is a host that exists in memory alone, with its notes.
type Pretended interface {
	consoled
	keep.Notes
}

// consoled is a host whose consoles can be read.
type consoled interface {
	host.Host
	Console(ctx context.Context, i id.Instance) ([]byte, error)
}

// Spec returns what distinguishes nodectl from the other daemons.
func Spec(c *Config) service.Spec {
	return service.Spec{
		Program: config.Program{
			Name: "nodectl",
			Purpose: "The agent of one host: keeps its instances, their disks and their networks as the clusterctl " +
				"of its zone orders. It runs as root; guests run as a user without rights.",
			Usage: "[flags]\n       nodectl libvirtd --state DIR [flags]\n       nodectl halt --state DIR --cloud ID [--purge]",
			Files: [][2]string{
				{"STATE/orders", "what clusterctl wants"}, {"STATE/instances", "disks, consoles and notes"},
				{"STATE/images", "the image cache"}, {"STATE/libvirt", "the folders of our own libvirtd"}, {"STATE/pki", "the daemon's own certificate"},
			},
		},
		Identity: func() pki.Identity { return pki.Identity{Role: pki.Nodectl, Zone: c.Zone, Name: c.Name} },
		Run:      func(ctx context.Context, s *service.Service) error { return run(ctx, s, c) },
	}
}

// node is a nodectl that runs.
type node struct {
	*service.Service
	c        *Config
	verdict  probe.Verdict
	lv       libvirtd.Config
	book     *wire.Book[wire.NodeOrders]
	board    *wire.Board[wire.NodeReport]
	hv       *hypervisor.Hypervisor
	net      *network.Network
	host     consoled
	keeper   *keep.Keeper
	runner   *life.Runner[keep.Thing]
	total    wire.Capacity
	endpoint netip.Addr

	applied atomic.Uint64
	trouble atomic.Pointer[string] // of the network
}

func run(ctx context.Context, s *service.Service, c *Config) error {
	n := &node{Service: s, c: c, board: wire.NewBoard[wire.NodeReport]()}
	if c.Host != nil {
		return n.pretend(ctx)
	}
	for _, part := range []func(context.Context) error{n.openState, n.openLibvirt, n.openNetwork, n.openHost} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	defer n.book.Close()
	defer n.net.Close()
	defer n.hv.Close()
	s.Admin.Check("libvirt", func(ctx context.Context) error { _, err := n.hv.List(ctx); return err })
	s.Admin.Check("network", n.networkReady)
	s.Go("certificates", n.followCertificates)
	if c.Libvirt == "" {
		s.Go("libvirtd", func(ctx context.Context) error { return libvirtd.Supervise(ctx, n.lv, func() {}) })
	}
	return n.serve(ctx)
}

// serve runs what is the same on real and on pretended hosts.
func (n *node) serve(ctx context.Context) error {
	api.Serve(n.Internal, n.c.Zone, n.book, n.board, n)
	n.Go("orders", n.followOrders)
	n.Go("instances", func(ctx context.Context) error { n.runner.Run(ctx); return nil })
	n.Go("report", n.report)
	return n.Serve(ctx)
}

// pretend runs the keeper and the API over a host in memory.
func (n *node) pretend(ctx context.Context) (err error) {
	n.verdict.Accelerator, n.host = probe.QEMU, n.c.Host
	if n.endpoint, err = netip.ParseAddr(n.c.Endpoint); err != nil {
		return fmt.Errorf("--endpoint: %w", err)
	}
	if n.total, err = capacity(n.c, n.State); err != nil {
		return err
	}
	if n.book, err = wire.OpenBook[wire.NodeOrders](filepath.Join(n.State, "orders")); err != nil {
		return err
	}
	defer n.book.Close()
	n.keeper = keep.New(n.host, n.book, n.c.Host, keep.Patience{}, nil)
	n.runner = &life.Runner[keep.Thing]{Kind: n.keeper.Kind(), Log: n.Log}
	return n.serve(ctx)
}

// openState opens the order book and lets QEMU's user reach its files.
func (n *node) openState(context.Context) (err error) {
	abs, err := filepath.Abs(n.State)
	if err != nil {
		return err
	}
	n.State = abs
	if err := os.Chmod(n.State, 0o711); err != nil {
		return err
	}
	if err := reachable(n.State); err != nil {
		return err
	}
	if n.total, err = capacity(n.c, n.State); err != nil {
		return err
	}
	n.book, err = wire.OpenBook[wire.NodeOrders](filepath.Join(n.State, "orders"))
	return err
}

// openLibvirt starts our own libvirtd, if it is to be ours, and chooses the
// accelerator.
func (n *node) openLibvirt(ctx context.Context) error {
	dir := filepath.Join(n.State, "libvirt")
	n.lv = libvirtd.Config{State: dir, User: n.c.QEMUUser, NBD: filepath.Join(dir, "nbd"), Log: n.Log}
	if err := os.MkdirAll(n.lv.NBD, 0o711); err != nil {
		return err
	}
	if err := n.writeCertificates(); err != nil {
		return err
	}
	boot, err := host.BootID()
	if err != nil {
		return err
	}
	switch n.c.Accelerator {
	case "kvm", "qemu":
		n.verdict = probe.Verdict{Accelerator: probe.Accelerator(n.c.Accelerator)}
	case "auto":
		uid, gid := n.lv.Owner()
		if n.verdict, err = probe.Choose(ctx, n.State, boot, uid, gid); err != nil {
			return err
		}
		n.Log.Info("accelerator", "chosen", n.verdict.Accelerator, "kvm", n.verdict.KVM, "qemu", n.verdict.QEMU)
	default:
		return fmt.Errorf("--accelerator is kvm, qemu or auto, not %q", n.c.Accelerator)
	}
	if n.c.Libvirt != "" {
		return nil
	}
	n.lv.NoKVM = n.verdict.Accelerator != probe.KVM
	return libvirtd.EnsureUp(ctx, n.lv)
}

func (n *node) openNetwork(context.Context) (err error) {
	dir, err := n.Dir("network")
	if err != nil {
		return err
	}
	opt := network.Options{Cloud: n.c.Cloud, Node: n.c.Name, State: dir, VXLANPort: n.c.VXLANPort, Uplink: n.c.Uplink}
	if n.c.Endpoint != "" {
		if n.endpoint, err = netip.ParseAddr(n.c.Endpoint); err != nil {
			return fmt.Errorf("--endpoint: %w", err)
		}
		opt.Endpoint = n.endpoint
	}
	if opt.Transit, err = netip.ParsePrefix(n.c.Transit); err != nil {
		return fmt.Errorf("--transit: %w", err)
	}
	for _, h := range n.c.Hosts {
		a, err := netip.ParseAddr(h)
		if err != nil {
			return fmt.Errorf("--hosts: %w", err)
		}
		opt.Hosts = append(opt.Hosts, a)
	}
	for _, h := range n.c.Allow {
		a, err := netip.ParseAddrPort(h)
		if err != nil {
			return fmt.Errorf("--allow: %w", err)
		}
		opt.Allow = append(opt.Allow, a)
	}
	orders := func() wire.NodeOrders { o, _ := n.book.Orders(); return o }
	roles := metadata.NewRoles(n.credentials, time.Now)
	meta, err := metadata.New(metadata.Options{
		Orders: orders, KeyFile: filepath.Join(dir, "metadata.key"), Zone: n.c.Zone, Region: region(n.c.Zone), Roles: roles,
	})
	if err != nil {
		return err
	}
	n.Go("roles", func(ctx context.Context) error { roles.Run(ctx, orders); return nil })
	opt.Metadata = meta.Serve
	n.net, err = network.New(opt)
	return err
}

// credentials asks the clusterctl for those of an instance that is placed here.
func (n *node) credentials(ctx context.Context, i id.Instance, w wire.CredentialsOf) (c wire.Credentials, err error) {
	client := n.Client(pki.Identity{Role: pki.Clusterctl, Zone: n.c.Zone}, n.Peers[pki.Clusterctl])
	defer client.Close()
	err = client.Call(ctx, http.MethodPost, wire.CredentialsPath(i), nil, w, &c)
	return c, err
}

// guests is how many guests a host may have.
const guests = 512

// guestUsers returns the first of the users that the guests of a cloud run as.
// No two names of clouds share any, and all are beyond those that people, system
// services and the containers of common tools have.
func guestUsers(cloud string) int {
	n := 0
	for _, c := range cloud {
		n = n*37 + strings.IndexRune("0123456789abcdefghijklmnopqrstuvwxyz", c) + 1
	}
	return 1_150_000_000 + n*guests
}

// region returns the region of a zone: us-east-1 of us-east-1a.
func region(zone string) string { return strings.TrimRight(zone, "abcdefghijklmnopqrstuvwxyz") }

func (n *node) openHost(context.Context) error {
	cache, err := disk.OpenCache(filepath.Join(n.State, "images"), images{n}, n.c.CacheGiB<<30)
	if err != nil {
		return err
	}
	instances := filepath.Join(n.State, "instances")
	_, gid := n.lv.Owner()
	disks, err := disk.Open(instances, cache, disk.Users{First: cmp.Or(n.c.GuestUsers, guestUsers(n.c.Cloud)), Count: guests, Group: gid})
	if err != nil {
		return err
	}
	socket := n.c.Libvirt
	if socket == "" {
		socket = libvirtd.Socket(n.lv.State)
	}
	// The runner nudges, and is nudged by, what is made after it.
	n.runner = &life.Runner[keep.Thing]{Log: n.Log}
	n.hv = hypervisor.Open(hypervisor.Config{
		Socket: socket, Cloud: n.c.Cloud, KVM: n.verdict.Accelerator == probe.KVM, Log: n.Log,
		TLS:   pki.Identity{Role: pki.Blockstore, Zone: n.c.Zone}.String(),
		Nudge: func(ids ...id.Instance) { n.nudge(ids) },
	})
	real, err := host.NewReal(disks, n.hv, n.net)
	if err != nil {
		return err
	}
	n.host = real
	n.keeper = keep.New(n.host, n.book, keep.Folder(instances), keep.Patience{}, nil)
	n.runner.Kind = n.keeper.Kind()
	return nil
}

func (n *node) nudge(ids []id.Instance) {
	names := make([]string, len(ids))
	for i := range ids {
		names[i] = string(ids[i])
	}
	n.runner.Nudge(names...)
}

// images is the cluster's image cache as a disk.Source.
type images struct{ n *node }

// Open implements disk.Source.
func (s images) Open(ctx context.Context, img wire.Image) (io.ReadCloser, error) {
	above := pki.Identity{Role: pki.Clusterctl, Zone: s.n.c.Zone}
	client := s.n.Client(above, s.n.Peers[pki.Clusterctl])
	res, err := client.Do(ctx, rest.Request{Method: http.MethodGet, Path: "/v1/images/" + img.SHA256,
		Query: url.Values{"bucket": {img.Bucket}, "key": {img.Key}}})
	if err != nil {
		client.Close()
		return nil, err
	}
	return body{res.Body, client}, nil
}

// body closes its client too.
type body struct {
	io.ReadCloser
	client *rest.Client
}

func (b body) Close() error {
	err := b.ReadCloser.Close()
	b.client.Close()
	return err
}
