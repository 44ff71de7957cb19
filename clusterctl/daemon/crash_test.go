package daemon

import (
	"os"
	"testing"
	"time"

	"karri/shared/crash/crashtest"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/port"
	"karri/shared/wire"
)

const childMark = "KARRI_TEST_CLUSTERCTL"

// TestMain runs the tests, or is a clusterctl when a test started it.
func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		Main()
	}
	os.Exit(m.Run())
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := port.Free("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// persist does what a client does whose server may die: try again.
func persist(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	for range 3000 {
		if err = try(); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: %v", what, err)
}

// The binary ends between any two durable writes, and is started again over
// what is on its disk: everything comes out as if it had not.
func TestTheProcessEndsAtEachNamedPoint(t *testing.T) {
	points := crashtest.Points(t, "..", "../../shared/wire", "../../shared/pki", "../../shared/service")
	if len(points) < 8 {
		t.Fatalf("only %v", points)
	}
	for _, at := range points {
		t.Run(at, func(t *testing.T) { crashAt(t, at) })
	}
}

func crashAt(t *testing.T, at string) {
	c := newAuthority(t)
	addr := freeAddr(t)
	crashed := crashtest.Supervise(t, childMark, at, "--state", t.TempDir(), "--listen", addr, "--zone", zone, "--join", c.token(), "--log-level", "warn")
	c.cluster = c.Client(pki.Identity{Role: pki.Clusterctl, Zone: zone}, addr)
	defer c.cluster.Close()
	persist(t, "the first answer", func() error {
		return c.cluster.Call(t.Context(), "POST", "/v1/join-tokens", nil, wire.NodeTokenRequest{}, nil)
	})
	n, _ := c.node(t, "n1")
	peer := wire.Dial[wire.ClusterOrders, wire.ClusterReport](c.cluster)
	large := instance(wire.Running)
	large.UserData = make([]byte, 1<<20) // the journal outgrows its bound
	gone := large
	gone.Want = wire.Gone
	for gen, step := range []struct {
		list map[id.Instance]wire.Instance
		want wire.InstanceState
	}{
		{map[id.Instance]wire.Instance{"i-1": instance(wire.Running)}, wire.InstanceRunning},
		{map[id.Instance]wire.Instance{"i-1": large}, wire.InstanceRunning},
		{map[id.Instance]wire.Instance{"i-1": gone}, wire.InstanceGone},
		{nil, ""},
	} {
		persist(t, "tell", func() error {
			return peer.Tell(t.Context(), uint64(gen+1), wire.ClusterOrders{Instances: step.list})
		})
		persist(t, "report", func() error {
			var s struct {
				Set struct {
					Instances map[id.Instance]wire.InstanceSeen
					Nodes     map[string]wire.Node
				}
			}
			if err := c.cluster.Call(t.Context(), "GET", "/v1/report", nil, nil, &s); err != nil {
				return err
			}
			if got := s.Set.Instances["i-1"].State; got != step.want {
				return &notYet{string(got)}
			}
			if used := s.Set.Nodes["n1"].Used.VCPUs; (used == 0) != (step.want != wire.InstanceRunning) {
				return &notYet{"its place"}
			}
			return nil
		})
	}
	persist(t, "nothing left on the node", func() error {
		if o, _ := n.Orders(); len(n.Has()) > 0 || len(o.Instances) > 0 {
			return &notYet{"something"}
		}
		return nil
	})
	if n.Starts("i-1") != 1 {
		t.Errorf("started %d times", n.Starts("i-1"))
	}
	mustPass(t, crashed)
}

// mustPass waits until the process has ended at its point.
func mustPass(t *testing.T, crashed <-chan struct{}) {
	t.Helper()
	persist(t, "the named point", func() error {
		select {
		case <-crashed:
			return nil
		default:
			return &notYet{"not passed"}
		}
	})
}

type notYet struct{ seen string }

func (n *notYet) Error() string { return "still " + n.seen }
