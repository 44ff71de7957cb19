package site

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
)

// A daemon is one of the five, as this site runs it.
type daemon struct {
	*Process
	role  string
	host  Host
	state string
	admin int // port of /readyz
}

// control returns the daemons that are there once, in the order they start.
func (s *Site) control() []daemon {
	h := s.Control()
	return []daemon{
		s.daemon(h, "cloudctl", "--region", s.Region, "--public", s.loopback("ec2"), "--public-addresses", s.publicRange(),
			"--endpoint", s.EC2URL(), "--s3-endpoint", s.S3URL()),
		s.daemon(h, "walrus", "--region", s.Region, "--public", s.loopback("s3")),
		s.daemon(h, "blockstore", "--zone", s.Zone, "--nbd-listen", h.Addr.String(), "--nbd-ports", fmt.Sprintf("%d-%d", s.Ports["nbd"], s.Ports["nbd"]+99)),
		s.daemon(h, "clusterctl", "--zone", s.Zone, "--scheduler", "roundrobin"),
	}
}

// publicRange leaves out the first and the last address, which programs take
// for the network itself and for everyone.
func (s *Site) publicRange() string {
	first := s.Public.Masked().Addr().Next()
	last := first.As4()
	last[3] = 254
	return fmt.Sprintf("%s-%s", first, netip.AddrFrom4(last))
}

// nodes returns the nodectl of each host.
func (s *Site) nodes() []daemon {
	var all []daemon
	for _, h := range s.NodeHosts() {
		args := []string{"--zone", s.Zone, "--name", h.Name, "--cloud", s.Cloud + strconv.Itoa(h.index),
			"--vxlan-port", strconv.Itoa(s.VXLAN), "--transit", s.Transit.String()}
		if h.NS != "" {
			args = append(args, "--endpoint", h.Addr.String(), "--uplink", "eth0", "--hosts", s.Control().Addr.String())
		}
		all = append(all, s.daemon(h, "nodectl", args...))
	}
	return all
}

func (s *Site) daemons() []daemon { return append(s.control(), s.nodes()...) }

// daemon describes the daemon role on h. What is the same for all is added here.
func (s *Site) daemon(h Host, role string, args ...string) daemon {
	name := role
	if role == "nodectl" {
		name = h.Name
	}
	d := daemon{role: role, host: h, state: s.path(name), admin: s.Ports[role+"-admin"]}
	common := []string{filepath.Join(s.Bin, role), "--state", d.state,
		"--listen", fmt.Sprintf("%s:%d", h.Addr, s.Ports[role]), "--admin", s.loopback(role + "-admin"), "--join-file", s.tokenFile(name)}
	d.Process = s.process(name, h.Within(append(common, args...)...)...)
	return d
}

func (s *Site) loopback(use string) string { return fmt.Sprintf("127.0.0.1:%d", s.Ports[use]) }

func (s *Site) tokenFile(name string) string { return s.path("run", name+".token") }

// Process returns the process of that name: cloudctl, walrus, node1; nil if the
// site has none.
func (s *Site) Process(name string) *Process {
	for _, d := range s.daemons() {
		if d.Name == name {
			return d.Process
		}
	}
	return nil
}
