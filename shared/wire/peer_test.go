package wire

import (
	"context"
	"log/slog"
	"net"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/rest"
)

var (
	clusterID = pki.Identity{Role: pki.Clusterctl, Zone: "z"}
	nodeID    = pki.Identity{Role: pki.Nodectl, Zone: "z", Name: "n"}
)

// far is the tier below, in a form that can be started anew over its disk.
type far struct {
	book  *Book[NodeOrders]
	board *Board[NodeReport]
}

func newFar(t *testing.T, dir string) far {
	t.Helper()
	b, err := OpenBook[NodeOrders](dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return far{b, NewBoard[NodeReport]()}
}

func (f far) publish(t *testing.T, r NodeReport) {
	t.Helper()
	if _, err := f.board.Publish(r); err != nil {
		t.Fatal(err)
	}
}

func seenOf(states ...InstanceState) NodeReport {
	r := NodeReport{Host: map[string]Host{"n": {Accelerator: "qemu"}}, Instances: map[id.Instance]InstanceSeen{}}
	for i, s := range states {
		r.Instances[id.Instance(rune('a'+i))] = InstanceSeen{State: s}
	}
	return r
}

func TestPeers(t *testing.T) {
	t.Run("in process", func(t *testing.T) {
		suite(t, func(_ *testing.T, f far) Peer[NodeOrders, NodeReport] { return Local(f.book, f.board) })
	})
	t.Run("REST", func(t *testing.T) {
		root, err := pki.NewRoot(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		cluster := credentials(t, root, clusterID)
		node := credentials(t, cluster(), nodeID)
		suite(t, func(t *testing.T, f far) Peer[NodeOrders, NodeReport] { return overREST(t, cluster, node, f) })
	})
}

func credentials(t *testing.T, ca *pki.Credentials, who pki.Identity) func() *pki.Credentials {
	t.Helper()
	key, err := pki.Key(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.Request(key, who)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := ca.Issue(csr, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.Enrolled(key, chain, ca.RootPEM(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return func() *pki.Credentials { return c }
}

func overREST(t *testing.T, cluster, node func() *pki.Credentials, f far) Peer[NodeOrders, NodeReport] {
	t.Helper()
	m := rest.NewMetrics()
	in := rest.NewInternal(node, m)
	Serve(in, rest.Roles(pki.Clusterctl), f.book, f.board)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &rest.Server{Observer: rest.Observer{Listener: "internal", Log: slog.New(slog.DiscardHandler), Metrics: m}, Handler: in, TLS: in.TLS()}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, ln) }()
	c := rest.NewClient(cluster, nodeID, ln.Addr().String(), nil)
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return Dial[NodeOrders, NodeReport](c)
}

func suite(t *testing.T, peer func(*testing.T, far) Peer[NodeOrders, NodeReport]) {
	t.Run("what is told arrives", func(t *testing.T) {
		f := newFar(t, t.TempDir())
		p := peer(t, f)
		for gen := 1; gen <= 5; gen++ {
			for range 2 {
				if err := p.Tell(t.Context(), uint64(gen), list(gen)); err != nil {
					t.Fatal(err)
				}
			}
			same(t, f.book, gen)
		}
		if err := p.Tell(t.Context(), 4, list(4)); fault.CodeOf(err) != "OldGeneration" || fault.KindOf(err) != fault.Conflict {
			t.Errorf("an old generation: %v", err)
		}
		// Another teller came between: the base that is agreed upon is no more.
		if err := f.book.Tell(t.Context(), 8, list(8)); err != nil {
			t.Fatal(err)
		}
		if err := p.Tell(t.Context(), 9, list(9)); err != nil {
			t.Fatal(err)
		}
		same(t, f.book, 9)
	})
	t.Run("what is seen arrives", func(t *testing.T) { seenArrives(t, peer) })
	t.Run("an asker waits for news", func(t *testing.T) { askerWaits(t, peer) })
}

func seenArrives(t *testing.T, peer func(*testing.T, far) Peer[NodeOrders, NodeReport]) {
	f := newFar(t, t.TempDir())
	p := peer(t, f)
	if err := p.Tell(t.Context(), 7, list(7)); err != nil {
		t.Fatal(err)
	}
	var since uint64
	for _, r := range []NodeReport{{}, seenOf(InstancePending), seenOf(InstanceRunning, InstancePending), seenOf(InstanceGone)} {
		f.publish(t, r)
		got, err := p.Ask(t.Context(), since)
		if err != nil || got.Accepted != 7 || !equal(got.Report, r) || got.Version == since {
			t.Fatalf("%+v, want %+v (%v)", got, r, err)
		}
		since = got.Version
		if since == 0 {
			t.Fatal("version 0 means nothing")
		}
	}
	// Many versions pass unseen: the whole comes.
	for i := range 2 * history {
		f.publish(t, seenOf(InstanceRunning, InstanceState(rune('a'+i))))
	}
	want := seenOf(InstanceBroken)
	f.publish(t, want)
	if got, err := p.Ask(t.Context(), since); err != nil || !equal(got.Report, want) {
		t.Errorf("%+v (%v)", got, err)
	}
}

func askerWaits(t *testing.T, peer func(*testing.T, far) Peer[NodeOrders, NodeReport]) {
	f := newFar(t, t.TempDir())
	p := peer(t, f)
	f.publish(t, seenOf(InstancePending))
	first, err := p.Ask(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan Seen[NodeReport], 1)
	go func() {
		s, err := p.Ask(t.Context(), first.Version)
		if err != nil {
			t.Error(err)
		}
		got <- s
	}()
	f.publish(t, seenOf(InstancePending)) // no news
	f.publish(t, seenOf(InstanceRunning))
	if s := <-got; !equal(s.Report, seenOf(InstanceRunning)) || s.Version == first.Version {
		t.Errorf("%+v", s)
	}
}

func equal(a, b NodeReport) bool {
	return len(a.Instances) == len(b.Instances) && len(a.Host) == len(b.Host) &&
		(len(a.Instances) == 0 || reflect.DeepEqual(a.Instances, b.Instances))
}

func TestVersionsOfAnotherStartAreNews(t *testing.T) {
	seen := map[uint64]bool{}
	for range 50 {
		b := NewBoard[NodeReport]()
		for i := range 3 {
			if _, v := b.Report(); seen[v] {
				t.Fatal("a version came twice")
			} else {
				seen[v] = true
			}
			if _, err := b.Publish(seenOf(InstanceState(rune('a' + i)))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAnAskWithoutNewsComesBack(t *testing.T) {
	f := newFar(t, t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		f.board = NewBoard[NodeReport]()
		p := Local(f.book, f.board)
		f.publish(t, seenOf(InstancePending))
		first, _ := p.Ask(t.Context(), 0)
		start := time.Now()
		again, err := p.Ask(t.Context(), first.Version)
		if err != nil || again.Version != first.Version || !equal(again.Report, first.Report) || time.Since(start) != askWait {
			t.Errorf("%+v after %s (%v)", again, time.Since(start), err)
		}
	})
}
