package daemon

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/clusterctl/nodetest"
	"karri/shared/bucket"
	"karri/shared/config"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/token"
	"karri/shared/wire"
)

const zone = "us-east-1a"

var picture = bytes.Repeat([]byte("0123456789abcdef"), 1<<12)

// start runs a daemon until the test ends.
func start(t *testing.T, sp service.Spec, f service.Flags, before func(*service.Service)) *service.Service {
	t.Helper()
	f.Listen = "127.0.0.1:0"
	s, _ := startIn(t, service.Env{}, sp, f, before)
	return s
}

// startIn runs a daemon in env until the test ends or stop is called.
func startIn(t *testing.T, env service.Env, sp service.Spec, f service.Flags, before func(*service.Service)) (s *service.Service, stop func()) {
	t.Helper()
	f.Admin = "127.0.0.1:0"
	if f.State == "" {
		f.State = t.TempDir()
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, err := service.New(ctx, sp, env, f)
	if err != nil {
		t.Fatal(err)
	}
	if before != nil {
		before(s)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

func plain(who pki.Identity) service.Spec {
	return service.Spec{Program: config.Program{Name: who.Role}, Founds: who.Role == pki.Cloudctl,
		Identity: func() pki.Identity { return who },
		Run:      func(ctx context.Context, s *service.Service) error { return s.Serve(ctx) }}
}

// cloud is what the tests have of cloudctl: the authority and a client.
type cloud struct {
	*service.Service
	cluster *rest.Client
}

func (c *cloud) token() string {
	return token.NewJoin(c.Addr, pki.Hash(c.Root.Root)).String()
}

// newCloud starts a stand-in for cloudctl, one for walrus, and the clusterctl
// to be tested.
func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := newAuthority(t)
	conf := &Config{Zone: zone, Scheduler: "roundrobin", CacheGiB: 1}
	cc := start(t, conf.Spec(), service.Flags{Join: c.token()}, nil)
	c.cluster = c.Client(pki.Identity{Role: pki.Clusterctl, Zone: zone}, cc.Addr)
	t.Cleanup(c.cluster.Close)
	return c
}

// newAuthority starts the stand-ins alone; walrus has one image.
func newAuthority(t *testing.T) *cloud {
	t.Helper()
	walrusAddr := ""
	cl := start(t, plain(pki.Identity{Role: pki.Cloudctl}), service.Flags{}, func(s *service.Service) {
		s.Internal.ServeJoin(func(_ context.Context, _ pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
			chain, err := s.Root.Issue(r.CSR, time.Now())
			return rest.JoinReply{Chain: chain, Root: s.Root.RootPEM(), Peers: map[string]string{pki.Walrus: walrusAddr}}, err
		})
	})
	c := &cloud{Service: cl}
	w := start(t, plain(pki.Identity{Role: pki.Walrus}), service.Flags{Join: c.token()}, func(s *service.Service) {
		s.Internal.Handle("GET", bucket.Root+"/{bucket}/{key}", rest.Roles(pki.Clusterctl), func(w http.ResponseWriter, r *http.Request) error {
			if rest.Var(r, "bucket") != "karri-images" {
				return fault.New(fault.Missing, "NoSuchBucket", "The specified bucket does not exist.")
			}
			_, err := w.Write(picture)
			return err
		})
	})
	walrusAddr = w.Addr
	return c
}

// node joins a pretended host by the token of the clusterctl.
func (c *cloud) node(t *testing.T, name string) (*nodetest.Node, *service.Service) {
	t.Helper()
	var tok wire.NodeToken
	if err := c.cluster.Call(t.Context(), "POST", "/v1/join-tokens", nil, wire.NodeTokenRequest{}, &tok); err != nil {
		t.Fatal(err)
	}
	n, err := nodetest.New(t.TempDir(), name, netip.MustParseAddr("10.77.0.1"), wire.Capacity{VCPUs: 2, MemoryMiB: 512, DiskGiB: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	s := start(t, plain(pki.Identity{Role: pki.Nodectl, Zone: zone, Name: name}), service.Flags{Join: tok.Token}, func(s *service.Service) {
		n.Register(s.Internal)
		s.Internal.Handle("GET", "/v1/instances/{id}/console", rest.Roles(pki.Clusterctl), func(w http.ResponseWriter, r *http.Request) error {
			_, err := fmt.Fprintf(w, "%s on %s", rest.Var(r, "id"), name)
			return err
		})
		s.Go("work", n.Run)
	})
	return n, s
}

func instance(want wire.Want) wire.Instance {
	sum := sha256.Sum256(picture)
	return wire.Instance{Want: want, VCPUs: 1, MemoryMiB: 128, DiskGiB: 2,
		Image: wire.Image{Bucket: "karri-images", Key: "ami-1", SHA256: hex.EncodeToString(sum[:])}}
}

// until asks for reports until one is as wanted.
func (c *cloud) until(t *testing.T, peer wire.Peer[wire.ClusterOrders, wire.ClusterReport], what string, ok func(wire.ClusterReport) bool) wire.ClusterReport {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var since uint64
	var last wire.ClusterReport
	for {
		s, err := peer.Ask(ctx, since)
		if err != nil {
			t.Fatalf("%s: %v; last %+v", what, err, last)
		}
		if last = s.Report; ok(last) {
			return last
		}
		since = s.Version
	}
}

func TestAZoneFromTokenToTermination(t *testing.T) {
	c := newCloud(t)
	_, s1 := c.node(t, "n1")
	_, s2 := c.node(t, "n2")
	peer := wire.Dial[wire.ClusterOrders, wire.ClusterReport](c.cluster)
	c.until(t, peer, "two nodes", func(r wire.ClusterReport) bool {
		return r.Nodes["n1"].State == wire.Ready && r.Nodes["n2"].State == wire.Ready && r.Nodes["n1"].Total.VCPUs == 2
	})
	tell := func(gen uint64, list map[id.Instance]wire.Instance) {
		t.Helper()
		if err := peer.Tell(t.Context(), gen, wire.ClusterOrders{Instances: list}); err != nil {
			t.Fatal(err)
		}
	}
	tell(1, map[id.Instance]wire.Instance{"i-1": instance(wire.Running), "i-2": instance(wire.Running)})
	r := c.until(t, peer, "both run", func(r wire.ClusterReport) bool {
		return r.Instances["i-1"].State == wire.InstanceRunning && r.Instances["i-2"].State == wire.InstanceRunning
	})
	if r.Instances["i-1"].Node == r.Instances["i-2"].Node {
		t.Errorf("round robin put both on one node: %+v", r.Instances)
	}
	res, err := c.cluster.Do(t.Context(), rest.Request{Method: "GET", Path: "/v1/instances/i-1/console"})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if string(b) != "i-1 on "+r.Instances["i-1"].Node {
		t.Errorf("console: %q", b)
	}
	var e wire.Explanation
	if err := c.cluster.Call(t.Context(), "GET", "/v1/explain/i-1", nil, nil, &e); err != nil || len(e.Below) != 1 || !strings.Contains(strings.Join(e.Lines, "\n"), "placed on") {
		t.Errorf("explain: %+v %v", e, err)
	}
	c.images(t, s1, s2)
	tell(2, map[id.Instance]wire.Instance{"i-1": instance(wire.Gone), "i-2": instance(wire.Gone)})
	c.until(t, peer, "both gone", func(r wire.ClusterReport) bool {
		return r.Instances["i-1"].State == wire.InstanceGone && r.Instances["i-2"].State == wire.InstanceGone
	})
	tell(3, nil)
	c.until(t, peer, "all free", func(r wire.ClusterReport) bool {
		return len(r.Instances) == 0 && r.Nodes["n1"].Used.VCPUs == 0 && r.Nodes["n2"].Used.VCPUs == 0
	})
	res, err = c.cluster.Do(t.Context(), rest.Request{Method: "GET", Path: "/v1/instances/i-1/console"})
	if err != nil {
		t.Fatalf("the console of an instance that is gone: %v", err)
	}
	res.Body.Close()
	if err := c.cluster.Call(t.Context(), "POST", "/v1/nodes/n2/forget", nil, struct{}{}, nil); err != nil {
		t.Fatal(err)
	}
	r = c.until(t, peer, "one node", func(r wire.ClusterReport) bool { return len(r.Nodes) == 1 && len(r.Authority) > 0 })
	c.forgotten(t, s2, r.Authority[zone].Revoked)
}

// forgotten checks that a node that was forgotten is believed by nobody.
func (c *cloud) forgotten(t *testing.T, s *service.Service, list string) {
	t.Helper()
	up := s.Client(pki.Identity{Role: pki.Clusterctl, Zone: zone}, s.Peers[pki.Clusterctl])
	defer up.Close()
	img := instance(wire.Running).Image
	_, err := up.Do(t.Context(), rest.Request{Method: "GET", Path: "/v1/images/" + img.SHA256, Query: url.Values{"bucket": {img.Bucket}, "key": {img.Key}}})
	if err == nil {
		t.Error("a forgotten node gets an image")
	}
	csr, err := pki.Request(s.Self().Key, s.Identity())
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Call(t.Context(), "POST", "/v1/renew", nil, rest.JoinRequest{CSR: csr, Address: s.Addr}, nil); fault.CodeOf(err) != "NotForYou" {
		t.Errorf("a forgotten node renews: %v", err)
	}
	block, _ := pem.Decode([]byte(list))
	if block == nil {
		t.Fatalf("no list of what is revoked: %q", list)
	}
	crl, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := crl.CheckSignatureFrom(s.Self().Chain[1]); err != nil {
		t.Error(err)
	}
	if gone := crl.RevokedCertificateEntries; len(gone) != 1 || gone[0].SerialNumber.Cmp(s.Self().Chain[0].SerialNumber) != 0 {
		t.Errorf("revoked are %v", gone)
	}
}

// images checks what the nodes get of walrus by their clusterctl.
func (c *cloud) images(t *testing.T, nodes ...*service.Service) {
	t.Helper()
	img := instance(wire.Running).Image
	for _, s := range nodes {
		up := s.Client(pki.Identity{Role: pki.Clusterctl, Zone: zone}, s.Peers[pki.Clusterctl])
		defer up.Close()
		get := func(sum, bucket, key, span string) ([]byte, error) {
			h := http.Header{}
			if span != "" {
				h.Set("Range", span)
			}
			res, err := up.Do(t.Context(), rest.Request{Method: "GET", Path: "/v1/images/" + sum,
				Query: url.Values{"bucket": {bucket}, "key": {key}}, Header: h})
			if err != nil {
				return nil, err
			}
			defer res.Body.Close()
			return io.ReadAll(res.Body)
		}
		if b, err := get(img.SHA256, img.Bucket, img.Key, ""); err != nil || !bytes.Equal(b, picture) {
			t.Errorf("image: %d bytes, %v", len(b), err)
		}
		if b, err := get(img.SHA256, img.Bucket, img.Key, "bytes=100-199"); err != nil || !bytes.Equal(b, picture[100:200]) {
			t.Errorf("range: %d bytes, %v", len(b), err)
		}
		if _, err := get(img.SHA256, "someones", img.Key, ""); fault.CodeOf(err) != "NotForYou" {
			t.Errorf("another object: %v", err)
		}
		if err := up.Call(t.Context(), "POST", "/v1/join-tokens", nil, wire.NodeTokenRequest{}, nil); fault.CodeOf(err) != "NotForYou" {
			t.Errorf("a node made a join token: %v", err)
		}
	}
}

func TestATokenLetsOneNodeIn(t *testing.T) {
	c := newCloud(t)
	var tok wire.NodeToken
	if err := c.cluster.Call(t.Context(), "POST", "/v1/join-tokens", nil, wire.NodeTokenRequest{}, &tok); err != nil {
		t.Fatal(err)
	}
	join := func(who pki.Identity, text string) error {
		_, err := service.New(t.Context(), plain(who), service.Env{}, service.Flags{State: t.TempDir(), Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Join: text})
		return err
	}
	n1 := pki.Identity{Role: pki.Nodectl, Zone: zone, Name: "n1"}
	if err := join(pki.Identity{Role: pki.Nodectl, Zone: "us-east-1b", Name: "n1"}, tok.Token); fault.CodeOf(err) != "NotForYou" {
		t.Errorf("a node of another zone: %v", err)
	}
	if err := join(n1, tok.Token); err != nil {
		t.Fatal(err)
	}
	if err := join(pki.Identity{Role: pki.Nodectl, Zone: zone, Name: "n2"}, tok.Token); fault.CodeOf(err) != "BadJoinToken" {
		t.Errorf("second use: %v", err)
	}
	var second wire.NodeToken
	if err := c.cluster.Call(t.Context(), "POST", "/v1/join-tokens", nil, wire.NodeTokenRequest{}, &second); err != nil {
		t.Fatal(err)
	}
	if err := join(n1, second.Token); fault.CodeOf(err) != "NodeExists" {
		t.Errorf("another host under a name that is taken: %v", err)
	}
	if err := c.cluster.Call(t.Context(), "POST", "/v1/join-tokens", nil, wire.NodeTokenRequest{Node: "n1"}, &second); err != nil {
		t.Fatal(err)
	}
	if err := join(n1, second.Token); err != nil {
		t.Errorf("another host by a token for the name: %v", err)
	}
}
