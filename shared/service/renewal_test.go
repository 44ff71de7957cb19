package service

import (
	"cmp"
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"karri/shared/memnet"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/token"
)

// Certificates of an hour are renewed for a third of a day, while requests go up and down
// all the time: none is refused, and no daemon starts again.
func TestCertificatesAreRenewedUnderTraffic(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, net: &memnet.Network{}, dir: dir}
		defer b.end()
		var jc, jn token.Join
		cloud := b.run(cloudID, "10.0.0.1", "", func(s *Service) {
			jc = token.NewJoin(s.Addr, pki.Hash(s.Root.Root))
			renewing(s, func() *pki.Credentials { return s.Root })
		})
		cluster := b.run(clusterID, "10.0.0.2", jc.String(), func(s *Service) {
			jn = token.NewJoin(s.Addr, pki.Hash(s.Self().Root))
			renewing(s, s.Self)
		})
		node := b.run(nodeID, "10.0.0.3", jn.String(), func(*Service) {})
		all := []*Service{cloud, cluster, node}
		type pair struct {
			from *Service
			peer pki.Identity
			to   *Service
		}
		var clients []*rest.Client
		for _, p := range []pair{{node, clusterID, cluster}, {cluster, nodeID, node}, {cluster, cloudID, cloud}, {cloud, clusterID, cluster}} {
			c := p.from.Client(p.peer, p.to.Addr)
			defer c.Close()
			clients = append(clients, c)
		}
		seen := make([]map[string]bool, len(all))
		for range 8 * 60 {
			for _, c := range clients {
				if err := c.Call(t.Context(), "POST", "/v1/hello", nil, "x", nil); err != nil {
					t.Fatalf("%s: %v", c.Peer(), err)
				}
			}
			for i, s := range all {
				if seen[i] == nil {
					seen[i] = map[string]bool{}
				}
				seen[i][s.Self().Chain[0].SerialNumber.String()] = true
			}
			time.Sleep(time.Minute)
		}
		for i, s := range all {
			if n := len(seen[i]); n < 8 {
				t.Errorf("%s had %d certificates in eight hours", s.Identity(), n)
			}
		}
	})
}

// bubble runs daemons that meet in memory.
type bubble struct {
	*testing.T
	net  *memnet.Network
	dir  string
	ends []func()
}

func (b *bubble) run(who pki.Identity, host, join string, before func(*Service)) *Service {
	b.Helper()
	env := Env{Listen: b.net.Listen, Dial: b.net.From(host)}
	ctx, cancel := context.WithCancel(b.Context())
	s, err := New(ctx, lasting(spec(who), time.Hour), env, Flags{State: filepath.Join(b.dir, who.Role), Listen: host + ":1", Admin: "127.0.0.1:2" + string(host[7]), Join: join})
	if err != nil {
		b.Fatal(err)
	}
	s.Internal.Handle("POST", "/v1/hello", func(pki.Identity) bool { return true }, func(w http.ResponseWriter, _ *http.Request) error { return rest.JSON(w, "hello") })
	before(s)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	b.ends = append(b.ends, func() { cancel(); wg.Wait() })
	return s
}

func (b *bubble) end() {
	for _, f := range b.ends {
		f()
	}
}

func renewing(s *Service, issuer func() *pki.Credentials) {
	s.Internal.ServeJoin(func(_ context.Context, _ pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
		chain, err := issuer().Issue(r.CSR, time.Now())
		return rest.JoinReply{Chain: chain, Root: issuer().RootPEM()}, err
	})
	s.Internal.ServeRenew(func(pki.Identity) bool { return true }, issuer,
		func(context.Context, pki.Identity, string, []byte) (map[string]string, error) { return nil, nil })
}

func lasting(s Spec, life time.Duration) Spec {
	s.Issues = func() time.Duration { return life }
	return s
}

func TestALifeThatNobodyCouldLiveWithIsRefused(t *testing.T) {
	for life, ok := range map[time.Duration]bool{0: true, time.Hour: true, longestLife: true, time.Minute: false, -time.Hour: false, 2 * longestLife: false} {
		s, err := New(t.Context(), lasting(spec(cloudID), life), Env{}, Flags{State: t.TempDir(), Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"})
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "--certificate-life is from 1h to 43800h") {
			t.Errorf("%s: %v", life, err)
		}
		if s == nil {
			continue
		}
		want := cmp.Or(life, 365*24*time.Hour)
		if got := s.Self().Lasts(); got != want {
			t.Errorf("%s: a certificate of %s", life, got)
		}
		for _, b := range s.servers {
			b.ln.Close()
		}
		if err := s.Audit.Close(); err != nil {
			t.Error(err)
		}
	}
}
