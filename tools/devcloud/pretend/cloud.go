// Package pretend is a whole cloud in one process, over hosts and disks that
// exist in memory alone.
//
// The five daemons are the real ones, with their real APIs, databases and
// loops, each with its own state folder; only what would need root is
// pretended: under each nodectl a host of package hosttest, under each
// blockstore a disk and an exporter in memory, all as strict as the real ones.
// They outlive a daemon that is stopped and started again, as real hosts do,
// and end with the process, unless they are kept in the cloud's folder too.
//
// With a memnet.Network the daemons meet on it, so that in a synctest bubble
// time passes by itself; without, on loopback ports. Open starts a cloud for a
// program; New starts one for a story, which Run, Terminate, Settle and
// MustBeEmpty tell.
package pretend

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"karri/blockstore/export/exporttest"
	"karri/blockstore/volume/volumetest"
	"karri/cloudctl/local"
	"karri/shared/memnet"
	"karri/shared/sign"
)

// Region is the region of every pretended cloud.
const Region = "us-east-1"

// Config says what cloud to make.
type Config struct {
	Dir   string // of all state; what is there is gone on from
	Keep  bool   // there too what hosts and disks have, or they end with the process
	Zones int    // 2 when zero
	Hosts int    // of each zone; 2 when zero
	Size  Size   // of each host
	Net   *memnet.Network
	Log   *slog.Logger      // nil: nowhere
	Keys  *sign.Credentials // the administrator's; nil: new ones are made
	Front *Front            // where users come in; nil: plain HTTP on loopback
	Ports map[string]string // of the public APIs of daemons, where nobody else has them; other ones are free

	Cloudctl, Walrus, Clusterctl []string // more flags of these daemons
}

// Front is where the public APIs listen, beyond loopback by HTTPS. Name is
// what both are called from outside, Domain under what buckets are named.
type Front struct {
	IP, Name, Domain string
	Cert, Key        string         // PEM files
	Roots            *x509.CertPool // what the administrator's client trusts
}

// Size is what a pretended host has to give.
type Size struct{ VCPUs, MemoryMiB, DiskGiB int }

// Cloud is a cloud that runs.
type Cloud struct {
	Config
	Keys   sign.Credentials  // of the administrator
	Admin  *Client           // speaks with them
	Hosts  map[string]*Host  // by the names of the nodes
	Stores map[string]*Store // by zone
	parts  []*part           // in the order in which they start
	addrs  map[string]string // by use
	index  map[string]int    // of a daemon, in memory its address

	kept     map[string][]byte // what hosts and disks were when they were written down
	stopKeep chan struct{}     // nil: nothing is being written down
	keeping  chan error        // how that ended
}

// Store is the disk of a zone, and who is served from it.
type Store struct {
	Disk   *volumetest.Fake
	Export *exporttest.Fake // over Disk
}

// Open starts a cloud and returns when its nodes are ready. Close it.
func Open(ctx context.Context, conf Config) (*Cloud, error) {
	c := &Cloud{Config: conf, Hosts: map[string]*Host{}, Stores: map[string]*Store{}, addrs: map[string]string{}, index: map[string]int{}}
	if c.Zones == 0 {
		c.Zones = 2
	}
	if c.Config.Hosts == 0 {
		c.Config.Hosts = 2
	}
	if c.Size == (Size{}) {
		c.Size = Size{VCPUs: 64, MemoryMiB: 128 << 10, DiskGiB: 2000}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := c.open(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cloud) open(ctx context.Context) error {
	if err := c.readAddresses(); err != nil {
		return err
	}
	c.parts = c.plan()
	if err := c.writeAddresses(); err != nil {
		return err
	}
	if c.Keep {
		if err := c.readWorlds(); err != nil {
			return err
		}
		c.stopKeep, c.keeping = make(chan struct{}), make(chan error, 1)
		go func() { c.keeping <- c.keepWorlds(c.stopKeep) }()
	}
	if err := c.logIn(ctx); err != nil {
		return err
	}
	for _, p := range c.parts {
		if err := c.start(ctx, p); err != nil {
			return fmt.Errorf("start %s: %w", p.name, err)
		}
	}
	return c.waitNodes(ctx)
}

// logIn gets the administrator's key from cloudctl's own database, as whoever
// has its machine may.
func (c *Cloud) logIn(ctx context.Context) error {
	if c.Keys = (sign.Credentials{}); c.Config.Keys != nil {
		c.Keys = *c.Config.Keys
	} else {
		state := filepath.Join(c.Dir, "cloudctl")
		if err := os.MkdirAll(state, 0o700); err != nil {
			return err
		}
		b, err := local.OpenBook(ctx, state)
		if err != nil {
			return err
		}
		defer b.Store.Close()
		key, err := b.RootKey(ctx)
		if err != nil {
			return err
		}
		c.Keys = sign.Credentials{AccessKey: key.AccessKey, Secret: key.Secret}
	}
	c.Admin = c.As(c.Keys)
	return nil
}

// waitNodes returns when every node takes instances.
func (c *Cloud) waitNodes(ctx context.Context) error {
	return c.Until(ctx, time.Minute, func() (bool, error) {
		out, err := c.Admin.Call(ctx, "karri", "DescribeNodes", nil)
		if err != nil {
			return false, err
		}
		nodes := List(out, "Nodes")
		return len(nodes) == c.Zones*c.Config.Hosts && !slices.ContainsFunc(nodes, func(n map[string]any) bool { return n["State"] != "ready" }), nil
	})
}

// Until asks again and again whether it is done, and returns the last error
// when it is not for too long.
func (c *Cloud) Until(ctx context.Context, patience time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		ok, err := done()
		if ok && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Close ends all daemons, nodes first, and returns when they have ended.
func (c *Cloud) Close() error {
	var err error
	for _, p := range slices.Backward(c.parts) {
		err = errors.Join(err, p.stop())
	}
	if c.stopKeep != nil {
		close(c.stopKeep)
		err = errors.Join(err, <-c.keeping)
		c.stopKeep = nil
	}
	if c.Admin != nil {
		c.Admin.Close()
	}
	return err
}

// Stop ends the daemon of that name, as a good administrator does; what it
// looks after goes on.
func (c *Cloud) Stop(name string) error {
	p, err := c.part(name)
	if err != nil {
		return err
	}
	return p.stop()
}

// Start starts it again over its state.
func (c *Cloud) Start(ctx context.Context, name string) error {
	p, err := c.part(name)
	if err != nil {
		return err
	}
	return c.start(ctx, p)
}

// Names lists the daemons in the order in which they start.
func (c *Cloud) Names() (names []string) {
	for _, p := range c.parts {
		names = append(names, p.name)
	}
	return names
}

// EC2 and S3 are the URLs of the public APIs.
func (c *Cloud) EC2() string { return c.url("cloudctl") }

// S3 is described at EC2.
func (c *Cloud) S3() string { return c.url("walrus") }

func (c *Cloud) url(daemon string) string {
	addr := c.addrs[daemon+"-public"]
	if c.Front == nil {
		return "http://" + addr
	}
	_, port, _ := net.SplitHostPort(addr)
	return "https://" + net.JoinHostPort(c.Front.Name, port)
}

// public returns the flags of a daemon with a public API.
func (c *Cloud) public(daemon string) []string {
	flags := []string{"--region", Region, "--public", c.addrs[daemon+"-public"]}
	if f := c.Front; f != nil && f.Cert != "" {
		flags = append(flags, "--public-cert", f.Cert, "--public-key", f.Key)
	}
	return flags
}

// ZoneNames are the zones: us-east-1a and so on.
func (c *Cloud) ZoneNames() (zones []string) {
	for i := range c.Zones {
		zones = append(zones, fmt.Sprintf("%s%c", Region, 'a'+i))
	}
	return zones
}

// dial is how a daemon, or a user, reaches others.
func (c *Cloud) dial(from string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	if c.Net == nil {
		return nil
	}
	return c.Net.From(from)
}
