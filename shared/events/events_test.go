package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"karri/shared/fault"
	"karri/shared/pki"
)

// A world is a bus server that several components reach.
type world interface {
	join(t *testing.T, id pki.Identity) Bus
}

type memoryWorld struct{ bus *Memory }

func (w memoryWorld) join(*testing.T, pki.Identity) Bus { return w.bus }

// natsWorld is an embedded server that can be stopped and started.
type natsWorld struct {
	t    *testing.T
	root *pki.Credentials

	mu     sync.Mutex
	server *Server
}

func issue(t *testing.T, root *pki.Credentials, id pki.Identity) *pki.Credentials {
	t.Helper()
	key, err := pki.Key(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.Request(key, id)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := root.Issue(csr, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.Enrolled(key, chain, root.RootPEM(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newNATS(t *testing.T) *natsWorld {
	t.Helper()
	root, err := pki.NewRoot(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := &natsWorld{t: t, root: root}
	w.start()
	t.Cleanup(w.stop)
	return w
}

func (w *natsWorld) start() {
	cloud := issue(w.t, w.root, pki.Identity{Role: pki.Cloudctl})
	s, err := Serve("127.0.0.1:0", func() *pki.Credentials { return cloud }, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.server = s
}

func (w *natsWorld) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server != nil {
		w.server.Close()
		w.server = nil
	}
}

func (w *natsWorld) where(context.Context) (Address, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server == nil {
		return Address{}, errors.New("stopped")
	}
	return Address{URLs: []string{"tls://" + w.server.Addr()}}, nil
}

func (w *natsWorld) join(t *testing.T, id pki.Identity) Bus {
	self := issue(t, w.root, id)
	o := Options{Name: id.String(), Self: func() *pki.Credentials { return self }, Where: w.where, Log: slog.New(slog.DiscardHandler), Again: 20 * time.Millisecond}
	if id.Role == pki.Cloudctl {
		o.Local = w.server
	}
	n, err := Connect(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 2000 {
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s: it never came to that", what)
}

// heard collects what a subscription hears.
type heard struct {
	mu  sync.Mutex
	ids []string
}

func (h *heard) take(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids = append(h.ids, e.ID)
}

func (h *heard) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ids)
}

func event(id, subject string) Event {
	return Event{ID: id, Subject: subject, Source: "test", Time: time.Unix(1, 0).UTC(), Body: json.RawMessage(`{"Account":"1"}`)}
}

var cloudctl, walrus = pki.Identity{Role: pki.Cloudctl}, pki.Identity{Role: pki.Walrus}

func TestBuses(t *testing.T) {
	for name, open := range map[string]func(*testing.T) world{
		"memory": func(*testing.T) world { return memoryWorld{NewMemory()} },
		"nats":   func(t *testing.T) world { return newNATS(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			testBus(t, w.join(t, cloudctl), w.join(t, walrus))
		})
		t.Run(name+" relay", func(t *testing.T) {
			t.Parallel()
			testRelay(t, open(t).join(t, cloudctl))
		})
	}
}

func testBus(t *testing.T, cloud, store Bus) {
	var users, all heard
	eventually(t, "connected", func() bool { return cloud.Connected() && store.Connected() })
	stop, err := store.Subscribe("identity.*", users.take)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cloud.Subscribe(">", all.take); err != nil {
		t.Fatal(err)
	}
	if err := store.Publish(t.Context()); err != nil { // so that the server has the subscription
		t.Fatal(err)
	}
	for i := range 3 {
		if err := cloud.Publish(t.Context(), event(fmt.Sprint("u", i), "identity.user"), event(fmt.Sprint("x", i), "identity.user.deep")); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Publish(t.Context(), event("b", "bucket.policy")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are heard", func() bool { return len(all.all()) == 7 && len(users.all()) == 3 })
	if got := users.all(); !slices.Equal(got, []string{"u0", "u1", "u2"}) {
		t.Errorf("heard %v", got)
	}
	stop()
	if err := cloud.Publish(t.Context(), event("last", "identity.user")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last is heard", func() bool { return len(all.all()) == 8 })
	for _, bad := range []string{"", "a..b", "a.>.b", "a b", ".", "a.", "é", ">.>"} {
		if _, err := cloud.Subscribe(bad, users.take); fault.KindOf(err) != fault.Invalid {
			t.Errorf("pattern %q: %v", bad, err)
		}
	}
	for _, bad := range []Event{event("1", "a.*"), event("1", ""), {Subject: "a", Body: []byte("{")}} {
		if err := cloud.Publish(t.Context(), bad); err == nil {
			t.Errorf("%v was published", bad)
		}
	}
}

// box is an outbox whose memory outlives its relay.
type box struct {
	mu    sync.Mutex
	lines []Line
	seq   int64
	dies  bool
}

func (b *box) Waiting(_ context.Context, max int) ([]Line, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.lines[:min(max, len(b.lines))]), nil
}

func (b *box) Told(_ context.Context, lines []Line) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dies {
		b.dies = false
		return errors.New("the process died here")
	}
	b.lines = slices.DeleteFunc(b.lines, func(l Line) bool {
		return slices.ContainsFunc(lines, func(t Line) bool { return t.Seq == l.Seq })
	})
	return nil
}

func testRelay(t *testing.T, bus Bus) {
	var all heard
	if _, err := bus.Subscribe(">", all.take); err != nil {
		t.Fatal(err)
	}
	b := &box{dies: true}
	for i := range 3 {
		b.lines = append(b.lines, Line{int64(i), event(fmt.Sprint(i), "identity.user")})
	}
	b.lines = append(b.lines, Line{99, event("bad", "a b")})
	r := NewRelay(b, bus, slog.New(slog.DiscardHandler))
	if _, err := r.Step(t.Context()); err == nil {
		t.Fatal("no error")
	}
	// A row with a lower number commits later than others that are told.
	r = NewRelay(b, bus, slog.New(slog.DiscardHandler))
	if n, err := r.Step(t.Context()); err != nil || n != 4 {
		t.Fatal(n, err)
	}
	b.lines = append(b.lines, Line{-1, event("late", "identity.user")})
	if n, err := r.Step(t.Context()); err != nil || n != 1 || len(b.lines) > 0 {
		t.Fatal(n, err, b.lines)
	}
	eventually(t, "all came, those before the crash twice", func() bool {
		return slices.Equal(all.all(), []string{"0", "1", "2", "0", "1", "2", "late"})
	})
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, subject string
		want             bool
	}{
		{">", "a", true}, {">", "a.b.c", true}, {"a.>", "a", false}, {"a.>", "a.b", true}, {"a.>", "a.b.c", true}, {"b.>", "a.b", false},
		{"a.*", "a.b", true}, {"a.*", "a.b.c", false}, {"*.b", "a.b", true}, {"*", "a.b", false}, {"a.b", "a.b", true}, {"a.b", "a.c", false}, {"*.>", "a.b", true},
	} {
		if got := Match(c.pattern, c.subject); got != c.want {
			t.Errorf("%s %s: %v", c.pattern, c.subject, got)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("identity.*", "identity.user")
	f.Add(">", "a.b")
	f.Add("a.>", "a")
	f.Fuzz(func(t *testing.T, pattern, subject string) {
		if CheckPattern(pattern) != nil || (Event{Subject: subject}).check() != nil {
			return
		}
		if got := Match(pattern, subject); got && pattern != subject && !slices.ContainsFunc([]byte(pattern), func(b byte) bool { return b == '*' || b == '>' }) {
			t.Errorf("%q matches %q", pattern, subject)
		}
	})
}
