// Package site runs a whole cloud on one machine: the five daemons, a private
// libvirtd per host, and the settings that let users in.
//
// A site is a folder. site.json in it holds what was chosen once and must not
// change: the cloud's short id, its ports and its address ranges, picked so
// that several sites and whatever else runs on the machine do not meet. All
// else is read from the world: a daemon runs if the process that its pid file
// names is still that very process, so bringing a site up twice is harmless,
// and bringing it up after a crash or a reboot starts what is missing.
//
// With one host a site uses the machine's own network. With more (the lab)
// each host is a network namespace on an underlay bridge, with a libvirtd of
// its own, and nothing in the machine's own network is touched.
package site

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Site is one cloud on this machine.
type Site struct {
	Dir    string // everything it keeps
	Bin    string // where its programs are
	Source string // the checkout, for the guest image's recipe

	Chosen
}

// Chosen is what site.json holds.
type Chosen struct {
	Cloud   string         `json:"cloud"` // short id in the names of all that the cloud makes on a host
	Region  string         `json:"region"`
	Zone    string         `json:"zone"`
	Hosts   int            `json:"hosts"`   // 0: the machine itself is the one host
	Ports   map[string]int `json:"ports"`   // by use: ec2, s3, cloudctl, ...
	Public  netip.Prefix   `json:"public"`  // public addresses of instances
	Transit netip.Prefix   `json:"transit"` // between a host and its routers
	VXLAN   int            `json:"vxlan"`
}

// uses names the ports of a site with the number that each would like.
var uses = []struct {
	name string
	want int
}{
	{"ec2", 8773}, {"s3", 8774},
	{"cloudctl", 8780}, {"walrus", 8781}, {"blockstore", 8782}, {"clusterctl", 8783}, {"nodectl", 8784},
	{"cloudctl-admin", 8790}, {"walrus-admin", 8791}, {"blockstore-admin", 8792}, {"clusterctl-admin", 8793}, {"nodectl-admin", 8794},
	{"nbd", 10900}, // the first of 100 for volumes
}

// Open returns the site in dir, chosen anew with hosts hosts if there is none.
func Open(dir string, hosts int) (*Site, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Site{Dir: dir, Bin: filepath.Join(dir, "bin")}
	b, err := os.ReadFile(s.path("site.json"))
	switch {
	case err == nil:
		if err := json.Unmarshal(b, &s.Chosen); err != nil {
			return nil, fmt.Errorf("%s: %w", s.path("site.json"), err)
		}
		return s, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if s.Chosen, err = choose(hosts); err != nil {
		return nil, err
	}
	// QEMU, a user without rights, must be able to pass; what is secret lies
	// deeper, in folders that only root opens.
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o755)); err != nil {
		return nil, err
	}
	b, err = json.MarshalIndent(s.Chosen, "", "  ")
	if err != nil {
		return nil, err
	}
	return s, renameio.WriteFile(s.path("site.json"), append(b, '\n'), 0o644)
}

func (s *Site) path(name ...string) string { return filepath.Join(append([]string{s.Dir}, name...)...) }

func choose(hosts int) (Chosen, error) {
	c := Chosen{Region: "us-east-1", Zone: "us-east-1a", Hosts: hosts, Ports: map[string]int{}, VXLAN: 4789}
	var b [2]byte
	if _, err := rand.Read(b[:]); err != nil {
		return c, err
	}
	c.Cloud = hex.EncodeToString(b[:])[:3] // a node adds its own digit
	if hosts > 0 {                         // everything is in namespaces of our own
		for _, u := range uses {
			c.Ports[u.name] = u.want
		}
		c.Public, c.Transit = netip.MustParsePrefix("10.77.128.0/24"), netip.MustParsePrefix("100.64.0.0/16")
		return c, nil
	}
	taken := map[int]bool{}
	for _, u := range uses {
		p, err := freePort(u.want, taken)
		if err != nil {
			return c, fmt.Errorf("a port for %s: %w", u.name, err)
		}
		taken[p], c.Ports[u.name] = true, p
	}
	for !freeUDP(c.VXLAN) {
		c.VXLAN += 10
	}
	var err error
	if c.Public, err = freeRange("10.%d.0.0/24", 140, 250); err != nil {
		return c, err
	}
	c.Transit, err = freeRange("100.%d.0.0/16", 80, 127)
	return c, err
}

// freePort returns want, or the next port after it on which nobody listens.
func freePort(want int, taken map[int]bool) (int, error) {
	for p := want; p < want+20000; p += 10 {
		if taken[p] {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil {
			continue
		}
		l.Close()
		return p, nil
	}
	return 0, errors.New("none is free")
}

func freeUDP(port int) bool {
	c, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// freeRange returns the first range of the form whose second byte lies between
// first and last that no route or address of this machine meets.
func freeRange(form string, first, last int) (netip.Prefix, error) {
	known, err := routes()
	if err != nil {
		return netip.Prefix{}, err
	}
next:
	for n := first; n <= last; n++ {
		p := netip.MustParsePrefix(fmt.Sprintf(form, n))
		for _, k := range known {
			if k.Overlaps(p) {
				continue next
			}
		}
		return p, nil
	}
	return netip.Prefix{}, fmt.Errorf("no address range of the form "+form+" is free", first)
}
