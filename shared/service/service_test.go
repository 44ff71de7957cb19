package service

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/shared/config"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/token"
)

var (
	cloudID   = pki.Identity{Role: pki.Cloudctl}
	clusterID = pki.Identity{Role: pki.Clusterctl, Zone: "z1"}
	nodeID    = pki.Identity{Role: pki.Nodectl, Zone: "z1", Name: "n1"}
)

// moves is where components said that they are.
var moves = make(chan string, 8)

// issuing serves joins with the one secret, from the issuer's credentials.
func issuing(s *Service, issuer func() *pki.Credentials, hash string) {
	s.Internal.ServeJoin(func(_ context.Context, who pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
		if token.HashSecret(r.Secret) != hash {
			return rest.JoinReply{}, fault.New(fault.Denied, "BadJoinToken", "The token is not known.")
		}
		chain, err := issuer().Issue(r.CSR, time.Now())
		return rest.JoinReply{Chain: chain, Root: issuer().RootPEM(), Peers: map[string]string{"walrus": "w:1"}}, err
	})
	s.Internal.ServeRenew(func(pki.Identity) bool { return true }, issuer,
		func(_ context.Context, who pki.Identity, address string, _ []byte) (map[string]string, error) {
			moves <- who.String() + " " + address
			return map[string]string{"walrus": "w:2"}, nil
		})
}

func spec(id pki.Identity) Spec {
	return Spec{Program: config.Program{Name: id.Role}, Founds: id.Role == pki.Cloudctl,
		Identity: func() pki.Identity { return id },
		Run:      func(ctx context.Context, s *Service) error { return s.Serve(ctx) }}
}

// run makes the daemon and runs it until the test ends or stop is called.
func run(t *testing.T, sp Spec, f Flags, before func(*Service)) (*Service, func() error) {
	t.Helper()
	f.Listen, f.Admin = "127.0.0.1:0", "127.0.0.1:0"
	if f.State == "" {
		f.State = t.TempDir()
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, err := New(ctx, sp, Env{}, f)
	if err != nil {
		t.Fatal(err)
	}
	if before != nil {
		before(s)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = stop() })
	return s, stop
}

func TestThreeTiersJoinAndSpeak(t *testing.T) {
	var jc, jn token.Join
	cloud, _ := run(t, spec(cloudID), Flags{}, func(s *Service) {
		jc = token.NewJoin(s.Addr, pki.Hash(s.Root.Root))
		issuing(s, func() *pki.Credentials { return s.Root }, jc.Hash())
	})
	state := t.TempDir()
	cluster, stop := run(t, spec(clusterID), Flags{State: state, Join: jc.String()}, func(s *Service) {
		jn = token.NewJoin(s.Addr, pki.Hash(s.Self().Root))
		issuing(s, s.Self, jn.Hash())
		s.Internal.Handle("GET", "/v1/hello", rest.NodesOf("z1"), func(w http.ResponseWriter, r *http.Request) error {
			return rest.JSON(w, rest.Caller(r.Context()).Name)
		})
	})
	if cluster.Peers["walrus"] != "w:1" || cluster.Peers["cloudctl"] != cloud.Addr {
		t.Errorf("peers %v", cluster.Peers)
	}
	node, _ := run(t, spec(nodeID), Flags{Join: jn.String()}, nil)
	up := node.Client(clusterID, node.Peers["clusterctl"])
	defer up.Close()
	var name string
	if err := up.Call(t.Context(), "GET", "/v1/hello", nil, nil, &name); err != nil || name != "n1" {
		t.Fatalf("%q %v", name, err)
	}
	down := cluster.Client(nodeID, node.Addr)
	defer down.Close()
	if err := down.Call(t.Context(), "GET", "/v1/nothing", nil, nil, nil); fault.CodeOf(err) != "NoSuchRoute" {
		t.Errorf("the node does not speak to its cluster: %v", err)
	}
	// A fresh certificate: the same key, a later end.
	old := node.Self().Chain[0]
	if err := node.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if fresh := node.Self().Chain[0]; fresh.Equal(old) {
		t.Error("renew did not renew")
	}
	if err := up.Call(t.Context(), "GET", "/v1/hello", nil, nil, &name); err != nil {
		t.Errorf("after the renewal: %v", err)
	}
	// The second start needs no token.
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	secondStart(t, state)
}

// secondStart runs the cluster again over its state, at another address.
func secondStart(t *testing.T, state string) {
	t.Helper()
	again, _ := run(t, spec(clusterID), Flags{State: state}, nil)
	if again.Identity() != clusterID || again.Peers["walrus"] != "w:1" {
		t.Errorf("%v %v", again.Identity(), again.Peers)
	}
	// It listens elsewhere now, and says so.
	for want := clusterID.String() + " " + again.Addr; ; {
		if got := <-moves; got == want {
			break
		}
	}
	for {
		if j, err := again.joined(); err != nil {
			t.Fatal(err)
		} else if j.Address == again.Addr && j.Peers["walrus"] == "w:2" {
			break
		}
	}
	if _, err := New(t.Context(), spec(pki.Identity{Role: pki.Clusterctl, Zone: "z2"}), Env{}, Flags{State: state, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "those of z1.clusterctl") {
		t.Errorf("a state folder of another zone: %v", err)
	}
}

func TestAJoinIsRefused(t *testing.T) {
	var j token.Join
	cloud, _ := run(t, spec(cloudID), Flags{}, func(s *Service) {
		j = token.NewJoin(s.Addr, pki.Hash(s.Root.Root))
		issuing(s, func() *pki.Credentials { return s.Root }, j.Hash())
	})
	wrongPin, wrongSecret := j, j
	wrongPin.Root = strings.Repeat("0", 64)
	wrongSecret.Secret = "x"
	for name, c := range map[string]struct{ tok, want string }{
		"no token":     {"", "has not joined"},
		"wrong pin":    {wrongPin.String(), "not the one that the join token names"},
		"wrong secret": {wrongSecret.String(), "BadJoinToken"},
		"garbage":      {"xyz", "not a join token"},
	} {
		dir := t.TempDir()
		_, err := New(t.Context(), spec(clusterID), Env{}, Flags{State: dir, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Join: c.tok})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := pki.Load(filepath.Join(dir, "pki")); err == nil {
			t.Errorf("%s: there are credentials", name)
		}
	}
	if _, err := New(t.Context(), spec(clusterID), Env{}, Flags{State: t.TempDir(), Listen: "0.0.0.0:0", Admin: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "--advertise") {
		t.Errorf("a wildcard without advertise: %v", err)
	}
	_ = cloud
}

func TestALoopThatFailsEndsTheDaemon(t *testing.T) {
	boom := errors.New("boom")
	ended := make(chan struct{})
	s, _ := run(t, Spec{Identity: func() pki.Identity { return cloudID }, Founds: true,
		Run: func(context.Context, *Service) error { return nil }}, Flags{}, nil)
	s.Go("patient", func(ctx context.Context) error { <-ctx.Done(); close(ended); return ctx.Err() })
	s.Go("failing", func(context.Context) error { return boom })
	if err := s.Serve(t.Context()); !errors.Is(err, boom) || !strings.Contains(err.Error(), "failing") {
		t.Errorf("got %v", err)
	}
	<-ended
}
