package daemon

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/blockstore/export/exporttest"
	"karri/blockstore/volume/volumetest"
	"karri/shared/config"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/token"
	"karri/shared/wire"
)

const (
	zone = "us-east-1a"
	vol  = id.Volume("vol-0123456789abcdef0")
	snap = id.Snapshot("snap-0123456789abcdef0")
)

// start runs a daemon until the test ends or stop is called.
func start(t *testing.T, sp service.Spec, f service.Flags, before func(*service.Service)) (s *service.Service, stop func()) {
	t.Helper()
	f.Listen, f.Admin = "127.0.0.1:0", "127.0.0.1:0"
	if f.State == "" {
		f.State = t.TempDir()
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, err := service.New(ctx, sp, service.Env{}, f)
	if err != nil {
		t.Fatal(err)
	}
	before(s)
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

// newCloud starts a stand-in for cloudctl.
func newCloud(t *testing.T) *service.Service {
	spec := service.Spec{Program: config.Program{Name: pki.Cloudctl}, Founds: true,
		Identity: func() pki.Identity { return pki.Identity{Role: pki.Cloudctl} },
		Run:      func(ctx context.Context, s *service.Service) error { return s.Serve(ctx) }}
	s, _ := start(t, spec, service.Flags{}, func(s *service.Service) {
		s.Internal.ServeJoin(func(_ context.Context, _ pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
			chain, err := s.Root.Issue(r.CSR, time.Now())
			return rest.JoinReply{Chain: chain, Root: s.Root.RootPEM(), Peers: map[string]string{pki.Walrus: "127.0.0.1:1"}}, err
		})
	})
	return s
}

// ask asks until the report is as wished.
func ask(t *testing.T, peer wire.Peer[wire.BlockOrders, wire.BlockReport], what string, done func(wire.BlockReport) bool) wire.BlockReport {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for since := uint64(0); ; {
		seen, err := peer.Ask(ctx, since)
		if err != nil {
			t.Fatalf("%s: %v; last report %+v", what, err, seen.Report)
		}
		if done(seen.Report) {
			return seen.Report
		}
		since = seen.Version
	}
}

func TestOrdersReportsAndExplanationsOverTheWire(t *testing.T) {
	cloud := newCloud(t)
	disk := volumetest.New()
	conf := &Config{Zone: zone, NBDPorts: "10809-10810", Grace: time.Hour, Parallel: 1, Disk: disk, Exporter: exporttest.New(disk)}
	flags := service.Flags{Join: token.NewJoin(cloud.Addr, pki.Hash(cloud.Root.Root)).String(), State: t.TempDir()}
	begin := func() (wire.Peer[wire.BlockOrders, wire.BlockReport], *rest.Client, func()) {
		s, stop := start(t, conf.Spec(), flags, func(*service.Service) {})
		c := cloud.Client(pki.Identity{Role: pki.Blockstore, Zone: zone}, s.Addr)
		t.Cleanup(c.Close)
		return wire.Dial[wire.BlockOrders, wire.BlockReport](c), c, stop
	}
	peer, client, stop := begin()
	orders := wire.BlockOrders{
		Volumes:   map[id.Volume]wire.Volume{vol: {Want: wire.Present, SizeGiB: 1}},
		Exports:   map[id.Volume]wire.Export{vol: {Node: "a", Epoch: 3}},
		Snapshots: map[id.Snapshot]wire.Snapshot{snap: {Volume: vol, Want: wire.Present}},
	}
	if err := peer.Tell(t.Context(), 7, orders); err != nil {
		t.Fatal(err)
	}
	// Walrus is away: the snapshot is frozen and waits.
	r := ask(t, peer, "served and frozen", func(r wire.BlockReport) bool {
		return r.Exports[vol].Epoch == 3 && !r.Snapshots[snap].Frozen.IsZero() && r.Snapshots[snap].Flow.Error != ""
	})
	if e := r.Exports[vol]; e.Node != "a" || e.Name != string(vol)+"/3" || !strings.HasPrefix(e.Address, "127.0.0.1:") {
		t.Errorf("the export is %+v", e)
	}
	if r.Volumes[vol].State != wire.BlockReady || r.Snapshots[snap].State != wire.BlockPending || r.Store[zone].TotalGiB == 0 {
		t.Errorf("the report is %+v", r)
	}
	for name, want := range map[string]string{string(vol): "served to node a", string(snap): "seen: frozen"} {
		var e wire.Explanation
		if err := client.Call(t.Context(), "GET", "/v1/explain/"+name, nil, nil, &e); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(e.Lines, "\n"), want) || e.Tier != "blockstore "+zone {
			t.Errorf("%s is explained by %+v", name, e)
		}
	}
	if err := client.Call(t.Context(), "GET", "/v1/explain/i-0123456789abcdef0", nil, nil, nil); fault.KindOf(err) != fault.Missing {
		t.Errorf("an instance is explained: %v", err)
	}
	stop()
	peer, _, _ = begin() // the orders are on disk
	ask(t, peer, "served after a restart", func(r wire.BlockReport) bool { return r.Exports[vol].Epoch == 3 })
	if err := peer.Tell(t.Context(), 6, wire.BlockOrders{}); fault.CodeOf(err) != "OldGeneration" {
		t.Errorf("older orders: %v", err)
	}
	if err := peer.Tell(t.Context(), 8, wire.BlockOrders{}); err != nil {
		t.Fatal(err)
	}
	r = ask(t, peer, "cut off", func(r wire.BlockReport) bool { return len(r.Exports) == 0 })
	if r.Volumes[vol].State != wire.BlockReady {
		t.Errorf("without an order, the volume is %+v", r.Volumes[vol])
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	for _, text := range []string{"", "x", "10", "10-", "-10", "0-5", "9-8", "1-65536", "1-2-3"} {
		if first, last, err := span(text, 65535); err == nil {
			t.Errorf("%q is the range %d to %d", text, first, last)
		}
	}
	if first, last, err := span("10809-10809", 65535); err != nil || first != 10809 || last != first {
		t.Errorf("%d to %d, %v", first, last, err)
	}
}
