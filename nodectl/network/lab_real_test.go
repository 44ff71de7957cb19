//go:build real

package network

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"karri/shared/id"
	"karri/shared/link"
	"karri/shared/wire"
)

// A lab is two hosts on one underlay, all network namespaces of this machine.
// The underlay's own namespace, "world", stands for everyone outside.
type lab struct {
	t      *testing.T
	world  *link.Space
	hosts  [2]*link.Space
	nets   [2]*Network
	orders [2]wire.NodeOrders
	states [2]string
	gen    uint64
	guests map[string]*guest
}

// A guest is a namespace whose eth0 is the other end of what the router has as
// the tap.
type guest struct {
	name  string
	host  int
	id    id.Instance
	iface wire.Interface
	space *link.Space
}

const testPort = 14900

// run names this run of the tests, so that several may go on at once; a child
// process is of its parent's.
var run = func() string {
	if r := os.Getenv("KARRI_NETWORK_RUN"); r != "" {
		return r
	}
	r := "00" + strconv.FormatInt(int64(os.Getpid()), 36)
	return r[len(r)-3:]
}()

func clouds(i int) string { return run + strconv.Itoa(i) }

func spaceName(s string) string { return "zn" + run + "-" + s }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, guests: map[string]*guest{}}
	l.world = l.space(spaceName("world"))
	must(t, l.sh(l.world, "ip link add ul0 type bridge && ip addr add 10.77.0.1/24 dev ul0 && ip link set ul0 up && ip link set lo up"))
	for i := range l.hosts {
		h := l.space(spaceName(fmt.Sprintf("host%d", i)))
		l.hosts[i] = h
		must(t, l.world.AddVeth(fmt.Sprintf("h%d", i), "eth0", h))
		must(t, l.sh(l.world, fmt.Sprintf("ip link set h%d master ul0 up", i)))
		must(t, l.sh(h, fmt.Sprintf("echo 0 >/proc/sys/net/ipv4/ip_forward && ip link set lo up && ip addr add %s/24 dev eth0 && ip link set eth0 up && ip route add default via 10.77.0.1", endpoint(i))))
		l.states[i] = t.TempDir()
		l.orders[i] = wire.NodeOrders{Instances: map[id.Instance]wire.Instance{}, Networks: map[id.VPC]wire.Network{},
			Firewalls: map[id.Interface]wire.Firewall{}, Remotes: map[id.Interface]wire.Remote{},
			Links: map[string]wire.Link{"host0": {Index: 1, Endpoint: endpoint(0)}, "host1": {Index: 2, Endpoint: endpoint(1)}}}
		l.start(i)
	}
	t.Cleanup(func() {
		for i, h := range l.hosts {
			if l.nets[i] != nil {
				_ = l.nets[i].Close()
			}
			if err := purgeIn(context.Background(), h, clouds(i)); err != nil {
				t.Error(err)
			}
		}
	})
	return l
}

func endpoint(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, byte(11 + i)}) }

func (l *lab) start(i int) {
	l.t.Helper()
	h, err := link.Open(l.hosts[i].Name())
	must(l.t, err)
	conf := filepath.Join(l.states[i], "resolv.conf")
	must(l.t, os.WriteFile(conf, nil, 0o600))
	l.nets[i], err = newIn(h, Options{Cloud: clouds(i), Node: fmt.Sprintf("host%d", i), State: l.states[i], Endpoint: endpoint(i), VXLANPort: testPort,
		Uplink: "eth0", Resolvers: conf, Metadata: func(ctx context.Context, v id.VPC, ln net.Listener) error {
			return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, "host%d %s %s", i, v, r.RemoteAddr)
			}))
		}})
	must(l.t, err)
}

func (l *lab) space(name string) *link.Space {
	l.t.Helper()
	s, err := link.Make(name)
	must(l.t, err)
	l.t.Cleanup(func() { s.Close(); _ = link.Remove(name) })
	return s
}

func (l *lab) sh(s *link.Space, script string) error {
	_, err := l.out(s, script)
	return err
}

func (l *lab) out(s *link.Space, script string) (string, error) {
	var out []byte
	err := s.Do(func() (err error) {
		out, err = exec.Command("sh", "-c", script).CombinedOutput()
		return err
	})
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", script, err, out)
	}
	return string(out), err
}

var allOut = []wire.FlatRule{{Protocol: "-1", From: -1, To: -1, Peers: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}}

func tcpIn(port int, peers ...string) wire.FlatRule {
	r := wire.FlatRule{Protocol: "tcp", From: port, To: port}
	for _, p := range peers {
		r.Peers = append(r.Peers, netip.MustParsePrefix(p))
	}
	return r
}

var pingIn = wire.FlatRule{Protocol: "icmp", From: -1, To: -1, Peers: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}

// order writes an instance into the orders of its host; the other host hears
// of it as a remote.
func (l *lab) order(name string, host int, vpc string, vni uint32, address, public string, in ...wire.FlatRule) *guest {
	n := len(l.guests) + 1
	v := id.VPC("vpc-" + vpc + "000000000000000")
	subnet := netip.MustParsePrefix("10.0.0.0/24")
	f := wire.Interface{ID: id.Interface(fmt.Sprintf("eni-%08d000000000", n)), VPC: v, Subnet: "subnet-1", CIDR: subnet, MAC: fmt.Sprintf("02:00:00:00:00:%02x", n),
		Address: netip.MustParseAddr(address), SourceCheck: true, Hostname: hostName(netip.MustParseAddr(address))}
	if public != "" {
		f.Public = netip.MustParseAddr(public)
	}
	g := &guest{name: name, host: host, id: id.Instance(fmt.Sprintf("i-%08d000000000", n)), iface: f}
	l.guests[name] = g
	l.orders[host].Instances[g.id] = wire.Instance{Want: wire.Running, Interfaces: []wire.Interface{f}}
	l.orders[host].Firewalls[f.ID] = wire.Firewall{In: in, Out: allOut}
	for i := range l.orders {
		l.orders[i].Networks[v] = wire.Network{VNI: vni, CIDR: netip.MustParsePrefix("10.0.0.0/16"), Domain: "us-east-1.compute.internal",
			Subnets: map[id.Subnet]netip.Prefix{"subnet-1": subnet}}
		l.orders[i].Remotes[f.ID] = wire.Remote{VPC: v, Address: f.Address, Node: fmt.Sprintf("host%d", host)}
	}
	return g
}

func (l *lab) sync() {
	l.t.Helper()
	l.gen++
	for i, n := range l.nets {
		if gen, err := n.Sync(l.t.Context(), l.gen, l.orders[i]); err != nil || gen != l.gen {
			l.t.Fatal(gen, err)
		}
	}
}

// boot does what the hypervisor and the guest do: make the tap, plug, and come
// up, with the address set by hand unless dhcp.
func (l *lab) boot(g *guest, dhcp bool) {
	l.t.Helper()
	g.space = l.space(spaceName(g.name))
	tap := l.nets[g.host].Tap(g.iface.ID)
	must(l.t, l.hosts[g.host].AddVeth(tap, "eth0", g.space))
	must(l.t, l.nets[g.host].Plug(l.t.Context(), g.id, l.orders[g.host].Instances[g.id]))
	must(l.t, g.space.Set(map[string]string{"net.ipv6.conf.all.disable_ipv6": "1"}))
	must(l.t, l.sh(g.space, "ip link set lo up && ip link set eth0 address "+g.iface.MAC+" mtu 1450 up"))
	if !dhcp {
		must(l.t, l.sh(g.space, fmt.Sprintf("ip addr add %s/24 dev eth0 && ip route add default via 10.0.0.1", g.iface.Address)))
	}
}

// pings reports that there is an answer within ten seconds.
func (l *lab) pings(from *link.Space, to string) bool {
	return l.sh(from, "ping -c1 -w10 "+to) == nil
}

// silent reports that there is no answer within a second.
func (l *lab) silent(from *link.Space, to string) bool {
	return l.sh(from, "ping -c1 -W1 "+to) != nil
}

// serve answers every line with the name, the caller's address and the line.
func (l *lab) serve(s *link.Space, name, address string) {
	l.t.Helper()
	ln, err := s.Listen(l.t.Context(), "tcp4", address)
	must(l.t, err)
	l.t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				buf := make([]byte, 100)
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					fmt.Fprintf(c, "%s %s %s", name, host, buf[:n])
				}
			}()
		}
	}()
}

func (l *lab) dial(s *link.Space, address string) (c net.Conn, err error) {
	err = s.Do(func() error {
		c, err = (&net.Dialer{Timeout: time.Second}).Dial("tcp4", address)
		return err
	})
	return c, err
}

// ask speaks one word over a connection and returns the answer.
func ask(c net.Conn, word string) (string, error) {
	_ = c.SetDeadline(time.Now().Add(1500 * time.Millisecond))
	if _, err := io.WriteString(c, word); err != nil {
		return "", err
	}
	buf := make([]byte, 200)
	n, err := c.Read(buf)
	return string(buf[:n]), err
}

func (l *lab) call(s *link.Space, address string) (string, error) {
	c, err := l.dial(s, address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return ask(c, "x")
}

func (l *lab) mustCall(s *link.Space, address, want string) {
	l.t.Helper()
	got, err := l.call(s, address)
	if err != nil || !strings.HasPrefix(got, want+" ") {
		l.t.Errorf("%s -> %s: %q %v, want %q", s.Name(), address, got, err, want)
	}
}

func (l *lab) mustNotCall(s *link.Space, address string) {
	l.t.Helper()
	if got, err := l.call(s, address); err == nil {
		l.t.Errorf("%s -> %s was answered: %q", s.Name(), address, got)
	}
}

// mustBeEmpty checks that no router is left on a host, nor anything of one.
func (l *lab) mustBeEmpty(host int) {
	l.t.Helper()
	if names, _ := link.Names("k" + clouds(host) + "-"); len(names) > 0 {
		l.t.Error("left behind:", names)
	}
	if links, _ := l.hosts[host].Links(); len(links) != 2 {
		l.t.Error("left behind:", links)
	}
	if ps, _ := l.hosts[host].Proxies("eth0"); len(ps) > 0 {
		l.t.Error("still answers for", ps)
	}
}
