package pretend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"karri/blockstore/export/exporttest"
	"karri/blockstore/volume/volumetest"

	block "karri/blockstore/daemon"
	cloud "karri/cloudctl/daemon"
	cluster "karri/clusterctl/daemon"
	node "karri/nodectl/daemon"
	"karri/shared/config"
	"karri/shared/durable"
	"karri/shared/port"
	"karri/shared/service"
	walrus "karri/walrus/daemon"
)

// part is one daemon.
type part struct {
	name, role, zone string
	spec             func(args []string) (service.Spec, service.Flags, error)

	service *service.Service
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // of its end
}

// plan lists the daemons: cloudctl first, then walrus, whose address the
// others learn when they join.
func (c *Cloud) plan() []*part {
	parts := []*part{c.cloudctl(), c.walrus()}
	for _, zone := range c.ZoneNames() {
		parts = append(parts, c.clusterctl(zone), c.blockstore(zone))
	}
	for _, zone := range c.ZoneNames() {
		for range c.Config.Hosts {
			parts = append(parts, c.nodectl(zone, "node"+strconv.Itoa(len(c.Hosts)+1)))
		}
	}
	for i, p := range parts {
		c.index[p.name] = i + 1
		for _, use := range []string{p.name, p.name + "-admin", p.name + "-public"} {
			c.address(p.name, use)
		}
	}
	return parts
}

func (c *Cloud) cloudctl() *part {
	return &part{name: "cloudctl", role: "cloudctl", spec: func(args []string) (service.Spec, service.Flags, error) {
		conf := &cloud.Config{}
		spec := cloud.Spec(conf)
		own := append(c.public("cloudctl"), c.Cloudctl...)
		if c.Net != nil {
			own = append(own, "--events-listen", "off") // the event server is reached by the machine's network alone
		}
		err := load(spec, conf, args, append(own,
			"--endpoint", c.EC2(), "--s3-endpoint", c.S3(), "--public-addresses", "192.0.2.1-192.0.2.254")...)
		return spec, conf.Flags, err
	}}
}

func (c *Cloud) walrus() *part {
	return &part{name: "walrus", role: "walrus", spec: func(args []string) (service.Spec, service.Flags, error) {
		conf := &walrus.Config{}
		spec := conf.Spec()
		own := append(c.public("walrus"), c.Walrus...)
		if c.Front != nil {
			own = append(own, "--domain", c.Front.Domain)
		}
		err := load(spec, conf, args, own...)
		return spec, conf.Flags, err
	}}
}

func (c *Cloud) clusterctl(zone string) *part {
	return &part{name: "clusterctl-" + zone, role: "clusterctl", zone: zone, spec: func(args []string) (service.Spec, service.Flags, error) {
		conf := &cluster.Config{}
		spec := conf.Spec()
		err := load(spec, conf, args, append(slices.Clone(c.Clusterctl), "--zone", zone, "--scheduler", "roundrobin")...)
		return spec, conf.Flags, err
	}}
}

func (c *Cloud) blockstore(zone string) *part {
	disk := volumetest.New()
	c.Stores[zone] = &Store{disk, exporttest.New(disk)}
	return &part{name: "blockstore-" + zone, role: "blockstore", zone: zone, spec: func(args []string) (service.Spec, service.Flags, error) {
		conf := &block.Config{Disk: disk, Exporter: c.Stores[zone].Export}
		spec := conf.Spec()
		err := load(spec, conf, args, "--zone", zone)
		return spec, conf.Flags, err
	}}
}

func (c *Cloud) nodectl(zone, name string) *part {
	host := NewHost()
	c.Hosts[name] = host
	endpoint := netip.AddrFrom4([4]byte{10, 77, 0, byte(len(c.Hosts))})
	return &part{name: name, role: "nodectl", zone: zone, spec: func(args []string) (service.Spec, service.Flags, error) {
		conf := &node.Config{Host: host}
		spec := node.Spec(conf)
		err := load(spec, conf, args, "--zone", zone, "--name", name, "--endpoint", endpoint.String(),
			"--vcpus", strconv.Itoa(c.Size.VCPUs), "--memory-mib", strconv.Itoa(c.Size.MemoryMiB), "--disk-gib", strconv.Itoa(c.Size.DiskGiB))
		return spec, conf.Flags, err
	}}
}

// load fills a daemon's configuration as its command line would.
func load(spec service.Spec, conf any, common []string, own ...string) error {
	_, err := config.Load(spec.Program, append(common, own...), conf)
	return err
}

// start starts a daemon, with a join token if it has not joined yet.
func (c *Cloud) start(ctx context.Context, p *part) error {
	if p.cancel != nil {
		return fmt.Errorf("%s runs already", p.name)
	}
	state := filepath.Join(c.Dir, p.name)
	args := []string{"--state", state, "--listen", c.addrs[p.name], "--admin", c.addrs[p.name+"-admin"]}
	if _, err := os.Stat(filepath.Join(state, "pki", "cert.pem")); p.role != "cloudctl" && errors.Is(err, fs.ErrNotExist) {
		token, err := c.token(ctx, p)
		if err != nil {
			return fmt.Errorf("a join token: %w", err)
		}
		args = append(args, "--join", token)
	}
	spec, flags, err := p.spec(args)
	if err != nil {
		return err
	}
	env := service.Env{Log: c.Log.With("daemon", p.name), Dial: c.dial(hostOf(c.addrs[p.name]))}
	if c.Net != nil {
		env.Listen = c.Net.Listen
	}
	s, err := service.New(ctx, spec, env, flags)
	if err != nil {
		return err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.service, p.cancel, p.done, p.err = s, cancel, make(chan struct{}), nil
	go func() {
		defer close(p.done)
		if p.err = s.Run(run); p.err != nil {
			c.Log.Error("ended", "daemon", p.name, "err", p.err)
		}
	}()
	return nil
}

func (p *part) stop() error {
	if p.cancel == nil {
		return nil
	}
	p.cancel()
	<-p.done
	p.cancel = nil
	return p.err
}

func (c *Cloud) part(name string) (*part, error) {
	for _, p := range c.parts {
		if p.name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("there is no daemon %q", name)
}

// token asks cloudctl for a token that lets p in. Those it must ask in turn
// may have begun just now.
func (c *Cloud) token(ctx context.Context, p *part) (string, error) {
	in := map[string]any{"Role": p.role}
	if p.zone != "" {
		in["Zone"] = p.zone
	}
	if p.role == "nodectl" {
		in["Name"] = p.name
	}
	var token string
	err := c.Until(ctx, patience, func() (bool, error) {
		out, err := c.Admin.Call(ctx, "karri", "CreateJoinToken", in)
		token, _ = out["Token"].(string)
		return err == nil, err
	})
	return token, err
}

// address chooses where a use of a daemon listens: in memory each daemon is a
// host of its own; on the machine a port that stays the same for good, since
// others remember it.
func (c *Cloud) address(daemon, use string) {
	switch {
	case c.addrs[use] != "":
	case c.Net != nil:
		port := map[string]string{"": "1", "-admin": "2", "-public": "80"}[use[len(daemon):]]
		c.addrs[use] = fmt.Sprintf("127.0.1.%d:%s", c.index[daemon], port)
	default:
		host := "127.0.0.1"
		if c.Front != nil && use == daemon+"-public" {
			host = c.Front.IP
		}
		c.addrs[use] = freeAddress(host, c.port(daemon, use))
	}
}

// port is the one that the public API of a daemon shall have if possible.
func (c *Cloud) port(daemon, use string) string {
	if use != daemon+"-public" {
		return ""
	}
	return c.Ports[daemon]
}

// freeAddress returns an address of host that nobody listens on, with the port
// that is liked best if it can be had.
func freeAddress(host, like string) string {
	if like != "" {
		if ln, err := net.Listen("tcp", net.JoinHostPort(host, like)); err == nil {
			defer ln.Close()
			return ln.Addr().String()
		}
	}
	addr, err := port.Free(host)
	if err != nil {
		return net.JoinHostPort(host, "0")
	}
	return addr
}

func hostOf(addr string) string {
	h, _, _ := net.SplitHostPort(addr)
	return h
}

func (c *Cloud) readAddresses() error {
	b, err := os.ReadFile(filepath.Join(c.Dir, "addresses.json"))
	if errors.Is(err, fs.ErrNotExist) || c.Net != nil {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &c.addrs)
	}
	return err
}

func (c *Cloud) writeAddresses() error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil || c.Net != nil {
		return err
	}
	b, err := json.MarshalIndent(c.addrs, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(c.Dir, "addresses.json"), b, 0o600)
}
