//go:build real

package metadata

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"karri/shared/id"
	"karri/shared/link"
	"karri/shared/wire"
)

// A container behind the guest asks through it: with a hop limit of 1 the
// token does not reach it, with 2 it does.
func TestHopLimit(t *testing.T) {
	router, guest, box := chain(t)
	hops := 1
	s, err := New(Options{KeyFile: t.TempDir() + "/key", Orders: func() wire.NodeOrders {
		return wire.NodeOrders{Instances: map[id.Instance]wire.Instance{
			"i-00000000000000003": instance(3, vpcA, wire.MetadataOptions{Enabled: true, TokensRequired: true, HopLimit: hops})}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := router.Listen(t.Context(), "tcp4", "169.254.169.254:80")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, vpcA, l) }()
	defer func() { cancel(); <-done }()

	const put = "curl -s -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token"
	token, err := sh(guest, put)
	if err != nil || len(token) < 40 {
		t.Fatal("the guest's own token:", token, err)
	}
	page, err := sh(guest, "curl -s -m 2 -H 'X-aws-ec2-metadata-token: "+token+"' http://169.254.169.254/latest/meta-data/instance-id")
	if err != nil || page != "i-00000000000000003" {
		t.Error(page, err)
	}
	if out, _ := sh(box, "curl -s -m 2 -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/"); !strings.HasSuffix(out, "401") {
		t.Error("the box does not even reach the service:", out)
	}
	if out, err := sh(box, put); err == nil {
		t.Error("a token came a hop too far:", out)
	}
	hops = 2
	if out, err := sh(box, put); err != nil || len(out) < 40 {
		t.Error("two hops:", out, err)
	}
}

// sh runs a script in a namespace.
func sh(s *link.Space, script string) (out string, err error) {
	err = s.Do(func() error {
		b, err := exec.Command("sh", "-ec", script).CombinedOutput()
		out = string(b)
		return err
	})
	return out, err
}

// chain makes a router, a guest on it, and a container behind the guest.
func chain(t *testing.T) (router, guest, box *link.Space) {
	t.Helper()
	var spaces []*link.Space
	for _, name := range []string{"zmd-router", "zmd-guest", "zmd-box"} {
		name = fmt.Sprintf("%s-%d", name, os.Getpid())
		s, err := link.Make(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close(); _ = link.Remove(name) })
		spaces = append(spaces, s)
	}
	router, guest, box = spaces[0], spaces[1], spaces[2]
	for _, step := range []func() error{
		func() error { return router.AddVeth("tap", "eth0", guest) },
		func() error { return guest.AddVeth("docker0", "eth0", box) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct {
		s      *link.Space
		script string
	}{
		{router, "ip link set lo up; ip addr add 169.254.169.254/32 dev lo; ip addr add 10.0.0.1/24 dev tap; ip link set tap up"},
		{guest, "ip addr add 10.0.0.13/24 dev eth0; ip link set eth0 up; ip addr add 172.17.0.1/24 dev docker0; ip link set docker0 up; ip route add default via 10.0.0.1; " +
			"echo 1 > /proc/sys/net/ipv4/ip_forward; nft 'add table ip n; add chain ip n p { type nat hook postrouting priority 100; }; add rule ip n p oifname eth0 masquerade'"},
		{box, "ip addr add 172.17.0.2/24 dev eth0; ip link set eth0 up; ip route add default via 172.17.0.1"},
	} {
		if out, err := sh(x.s, x.script); err != nil {
			t.Fatal(x.s.Name(), out, err)
		}
	}
	return router, guest, box
}
