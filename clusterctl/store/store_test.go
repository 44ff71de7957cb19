package store

import (
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"karri/shared/db"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func admit(t *testing.T, s *Store, hash, name, key string, at time.Time) (Node, string) {
	t.Helper()
	n, err := s.Admit(t.Context(), hash, name, key, "a:1", at)
	if err != nil {
		return n, fault.CodeOf(err)
	}
	return n, ""
}

func TestTokensAdmitOnceAndForTheirName(t *testing.T) {
	s := open(t)
	for hash, name := range map[string]string{"any": "", "any2": "", "n1": "n1", "old": ""} {
		expires := now.Add(time.Hour)
		if hash == "old" {
			expires = now.Add(-time.Second)
		}
		if err := s.AddJoinToken(t.Context(), hash, name, expires); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what, hash, name, key, want string
		at                          time.Time
	}{
		{"unknown", "x", "n1", "k1", "BadJoinToken", now},
		{"expired", "old", "n1", "k1", "BadJoinToken", now},
		{"good", "any", "n1", "k1", "", now},
		{"again, its answer was lost", "any", "n1", "k1", "", now.Add(2 * time.Hour)},
		{"again, another key", "any", "n1", "k2", "BadJoinToken", now},
		{"again, another name", "any", "n2", "k1", "BadJoinToken", now},
		{"a name that is taken", "any2", "n1", "k2", "NodeExists", now},
		{"its token is still good", "any2", "n2", "k2", "", now},
		{"a token for another name", "n1", "n3", "k3", "BadJoinToken", now},
		{"a token for the name", "n1", "n1", "k9", "", now},
	} {
		if _, got := admit(t, s, c.hash, c.name, c.key, c.at); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	ns, err := s.Nodes(t.Context())
	if err != nil || len(ns) != 2 || ns[0].Key != "k9" || ns[0].ID != 1 {
		t.Errorf("%+v %v", ns, err)
	}
}

func TestGenerationsGrow(t *testing.T) {
	s := open(t)
	_ = s.AddJoinToken(t.Context(), "h", "", now.Add(time.Hour))
	n, _ := admit(t, s, "h", "n1", "k", now)
	for _, c := range []struct{ least, want uint64 }{{0, 1}, {0, 2}, {10, 11}, {5, 12}} {
		if got, err := s.NextGeneration(t.Context(), n.ID, c.least); err != nil || got != c.want {
			t.Errorf("%d %v, want %d", got, err, c.want)
		}
	}
	if _, err := s.NextGeneration(t.Context(), 99, 0); !errors.Is(err, db.ErrMissing) {
		t.Errorf("a node that is not there: %v", err)
	}
}

func TestRacingPlacementsSeeEachOther(t *testing.T) {
	s := open(t)
	_ = s.AddJoinToken(t.Context(), "h", "", now.Add(time.Hour))
	n, _ := admit(t, s, "h", "n1", "k", now)
	place := func(i id.Instance, node int) error {
		return s.Place(t.Context(), i, func(others []Placement) *Placement {
			if len(others) >= 5 {
				return nil
			}
			return &Placement{NodeID: node, Node: "n1", Placed: now}
		})
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := place(id.Instance(rune('a'+i%10)), n.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ps, err := s.Placements(t.Context())
	if err != nil || len(ps) != 5 {
		t.Errorf("%d placements, %v", len(ps), err)
	}
	gone := ps[0].Instance
	for range 2 {
		if err := s.Unplace(t.Context(), gone, now); err != nil {
			t.Fatal(err)
		}
	}
	if was, err := s.NodeOf(t.Context(), gone); err != nil || was.ID != n.ID {
		t.Errorf("a place that was freed lately: %+v %v", was, err)
	}
	if err := s.Unplace(t.Context(), ps[1].Instance, now.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.NodeOf(t.Context(), gone); fault.KindOf(err) != fault.Missing {
		t.Errorf("a place that was freed long ago: %v", err)
	}
	if err := place("z", 99); !errors.Is(err, db.ErrMissing) {
		t.Errorf("placed on a node that is not there: %v", err)
	}
}

func TestCertificatesAreRevokedWithTheirNode(t *testing.T) {
	s, ctx := open(t), t.Context()
	certified := func(name, key, serial string) string {
		if err := s.Certified(ctx, name, key, pki.Serial(serial), now.Add(time.Hour)); err != nil {
			return fault.CodeOf(err)
		}
		return ""
	}
	for hash, name := range map[string]string{"1": "", "2": "", "n2": "n2", "3": ""} {
		if err := s.AddJoinToken(ctx, hash, name, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	admit(t, s, "1", "n1", "k1", now)
	admit(t, s, "2", "n2", "k2", now)
	if code := certified("n1", "k1", "a1") + certified("n1", "k1", "a2") + certified("n2", "k2", "b1"); code != "" {
		t.Fatal(code)
	}
	want := func(number int64, at time.Time, serials ...pki.Serial) {
		t.Helper()
		r, err := s.Revoked(ctx)
		if err != nil || r.Number != number || !r.At.Equal(at) || !slices.Equal(r.Serials, serials) {
			t.Errorf("%+v, %v", r, err)
		}
	}
	want(0, time.Time{})
	if err := s.ForgetNode(ctx, "n1", now); err != nil {
		t.Fatal(err)
	}
	want(1, now, "a1", "a2")
	if code := certified("n1", "k1", "a3"); code != "NotForYou" {
		t.Errorf("a host that was forgotten is given a certificate: %q", code)
	}
	later := now.Add(time.Minute)
	admit(t, s, "n2", "n2", "k9", later) // another host under that name
	want(2, later, "a1", "a2", "b1")
	admit(t, s, "3", "n1", "k1", later) // the forgotten one comes back
	if code := certified("n1", "k1", "a3") + certified("n2", "k9", "b2"); code != "" {
		t.Fatal(code)
	}
	want(2, later, "a1", "a2", "b1")
}
