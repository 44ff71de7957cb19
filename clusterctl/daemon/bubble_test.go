package daemon

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"karri/clusterctl/nodetest"
	"karri/shared/id"
	"karri/shared/memnet"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/token"
	"karri/shared/wire"
)

const (
	cloudHost   = "10.0.0.1"
	clusterHost = "10.0.0.2"
	nodeHost    = "10.0.0.3"
)

// bubble is a zone on a network in memory, where time passes only when all wait.
type bubble struct {
	*testing.T
	net   memnet.Network
	state string
	join  string
	cl    *service.Service
	peer  wire.Peer[wire.ClusterOrders, wire.ClusterReport]
	node  *nodetest.Node
	stop  func() // of clusterctl
}

func (b *bubble) env(host string) service.Env {
	return service.Env{Listen: b.net.Listen, Dial: b.net.From(host)}
}

func newBubble(t *testing.T) *bubble {
	b := &bubble{T: t, state: t.TempDir()}
	b.cl, _ = startIn(t, b.env(cloudHost), plain(pki.Identity{Role: pki.Cloudctl}), service.Flags{Listen: cloudHost + ":1"}, func(s *service.Service) {
		b.join = token.NewJoin(s.Addr, pki.Hash(s.Root.Root)).String()
		s.Internal.ServeJoin(func(_ context.Context, _ pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
			chain, err := s.Root.Issue(r.CSR, time.Now())
			return rest.JoinReply{Chain: chain, Root: s.Root.RootPEM()}, err
		})
	})
	b.startCluster()
	c := b.cl.Client(pki.Identity{Role: pki.Clusterctl, Zone: zone}, clusterHost+":1")
	t.Cleanup(c.Close)
	b.peer = wire.Dial[wire.ClusterOrders, wire.ClusterReport](c)
	var tok wire.NodeToken
	if err := c.Call(t.Context(), "POST", "/v1/join-tokens", nil, wire.NodeTokenRequest{}, &tok); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.node, err = nodetest.New(t.TempDir(), "n1", netip.MustParseAddr("10.77.0.1"), wire.Capacity{VCPUs: 2, MemoryMiB: 512, DiskGiB: 10}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.node.Close() })
	startIn(t, b.env(nodeHost), plain(pki.Identity{Role: pki.Nodectl, Zone: zone, Name: "n1"}), service.Flags{Listen: nodeHost + ":1", Join: tok.Token}, func(s *service.Service) {
		b.node.Register(s.Internal)
		s.Go("work", b.node.Run)
	})
	return b
}

func (b *bubble) startCluster() {
	conf := &Config{Zone: zone, Scheduler: "greedy", CacheGiB: 1}
	_, b.stop = startIn(b.T, b.env(clusterHost), conf.Spec(), service.Flags{Listen: clusterHost + ":1", State: b.state, Join: b.join}, nil)
}

// after lets time pass and returns what is reported then.
func (b *bubble) after(d time.Duration) wire.ClusterReport {
	b.Helper()
	time.Sleep(d)
	s, err := b.peer.Ask(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	return s.Report
}

func (b *bubble) tell(gen uint64, want wire.Want) {
	b.Helper()
	if err := b.peer.Tell(b.Context(), gen, wire.ClusterOrders{Instances: map[id.Instance]wire.Instance{"i-1": instance(want)}}); err != nil {
		b.Fatal(err)
	}
}

// Ten minutes without the node, and a restart of clusterctl meanwhile: what
// runs goes on, what is wanted waits, and a few seconds after the mend all is
// as wanted.
func TestANodeIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.tell(1, wire.Running)
		if r := b.after(10 * time.Second); r.Instances["i-1"].State != wire.InstanceRunning || r.Nodes["n1"].State != wire.Ready {
			t.Fatalf("%+v", r)
		}
		b.net.Cut(clusterHost, nodeHost)
		if r := b.after(time.Minute); r.Nodes["n1"].State != wire.Away || r.Instances["i-1"].State != wire.InstanceRunning {
			t.Errorf("cut off: %+v", r)
		}
		b.tell(2, wire.Stopped)
		b.stop()
		b.startCluster()
		r := b.after(9 * time.Minute)
		if r.Nodes["n1"].State != wire.Away || r.Instances["i-1"].State != wire.InstanceRunning || r.Instances["i-1"].Node != "n1" {
			t.Errorf("cut off, and clusterctl restarted: %+v", r)
		}
		if b.node.Has()["i-1"] != wire.InstanceRunning {
			t.Error("the instance did not go on")
		}
		b.net.Mend(clusterHost, nodeHost)
		if r := b.after(30 * time.Second); r.Nodes["n1"].State != wire.Ready || r.Instances["i-1"].State != wire.InstanceStopped {
			t.Errorf("mended: %+v", r)
		}
		if n := b.node.Starts("i-1"); n != 1 {
			t.Errorf("started %d times", n)
		}
	})
}
