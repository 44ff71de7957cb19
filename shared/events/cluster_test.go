package events

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"karri/shared/events/eventstest"
	"karri/shared/pki"
)

// company is a cloud whose events go through an outside cluster.
type company struct {
	t    *testing.T
	root *pki.Credentials
	*eventstest.Cluster
	log bytesLog
}

type bytesLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *bytesLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *bytesLog) has(words string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), words)
}

func newCompany(t *testing.T) *company {
	t.Helper()
	root, err := pki.NewRoot(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &company{t: t, root: root, Cluster: eventstest.New(t)}
}

// join connects a component by a file of credentials, "" for none.
func (c *company) join(id pki.Identity, file string, change ...func(*Options, *Address)) *NATS {
	c.t.Helper()
	self := issue(c.t, c.root, id)
	at, err := Outside(c.URLs(), c.CA)
	if err != nil {
		c.t.Fatal(err)
	}
	o := Options{Name: id.String(), Self: func() *pki.Credentials { return self }, Log: slog.New(slog.NewTextHandler(&c.log, nil)), Again: 20 * time.Millisecond, Credentials: file}
	for _, f := range change {
		f(&o, &at)
	}
	o.Where = func(context.Context) (Address, error) { return at, nil }
	n, err := Connect(o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(n.Close)
	return n
}

// at is the number of the server that a bus is connected to.
func (c *company) at(n *NATS) int {
	c.t.Helper()
	host, _ := n.dialer.now()
	i := slices.IndexFunc(c.URLs(), func(u string) bool { return strings.Contains(u, "//"+host+":") })
	if i < 0 {
		c.t.Fatalf("connected to %q", host)
	}
	return i
}

// Announcements go on when the server that both are connected to dies, and what
// was told while no server ran is heard when they are back.
func TestAServerOfTheClusterDies(t *testing.T) {
	c := newCompany(t)
	c.Start()
	cloud, store := c.join(cloudctl, c.Login("cloudctl")), c.join(walrus, c.Login("walrus"))
	var users heard
	var gaps atomic.Int32
	store.OnGap(func() { gaps.Add(1) })
	if _, err := store.Subscribe("identity.>", users.take); err != nil {
		t.Fatal(err)
	}
	b := &box{}
	relay := NewRelay(b, cloud, slog.New(slog.DiscardHandler))
	relay.Every = 20 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { relay.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	said := 0
	// hears tells until something is heard: to whom a server that listens is not
	// known of yet, the news does not come, but the gap does.
	hears := func(what string) {
		t.Helper()
		before := len(users.all())
		eventually(t, what, func() bool {
			said++
			b.add(event(fmt.Sprint(said), "identity.user"))
			relay.Nudge()
			return len(users.all()) > before
		})
	}
	eventually(t, "connected", func() bool { return cloud.Connected() && store.Connected() })
	hears("at first")
	for range 2 { // of either
		for _, n := range []*NATS{store, cloud} {
			before, dies := gaps.Load(), c.at(n)
			both := c.at(store) == dies
			c.Stop(dies)
			eventually(t, "connected to another", func() bool { return n.Connected() && c.at(n) != dies })
			if both {
				eventually(t, "told of the gap", func() bool { return gaps.Load() > before })
			}
			hears("after one died")
			c.Start()
		}
	}
	for i := range 3 {
		c.Stop(i)
	}
	eventually(t, "cut off", func() bool { return !cloud.Connected() && !store.Connected() })
	b.add(event("late", "identity.user"))
	before := gaps.Load()
	c.Start()
	eventually(t, "told of the gap", func() bool { return gaps.Load() > before })
	hears("when all are back")
	eventually(t, "nothing waits", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.lines) == 0 })
}

func (b *box) add(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	b.lines = append(b.lines, Line{b.seq, e})
}

func TestWaysIntoAnOutsideCluster(t *testing.T) {
	c := newCompany(t)
	c.Start()
	seed := filepath.Join(t.TempDir(), "seed")
	if err := os.WriteFile(seed, []byte(eventstest.Seed+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mapped := newCompany(t)
	mapped.Components = mapped.root.Root
	mapped.Start()
	for what, join := range map[string]func() *NATS{
		"a password":    func() *NATS { return c.join(cloudctl, c.Login("cloudctl")) },
		"an nkey":       func() *NATS { return c.join(cloudctl, seed) },
		"a certificate": func() *NATS { return mapped.join(cloudctl, "") },
	} {
		n := join()
		var all heard
		if _, err := n.Subscribe(">", all.take); err != nil {
			t.Fatal(err)
		}
		eventually(t, what, n.Connected)
		if err := n.Publish(t.Context(), event("x", "identity.user")); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		eventually(t, what+" hears", func() bool { return len(all.all()) == 1 })
	}
}

// Whoever configures an outside cluster wrongly is told what to do.
func TestWrongSettingsOfAnOutsideClusterSayWhatToDo(t *testing.T) {
	c := newCompany(t)
	c.Start()
	mapped := newCompany(t)
	mapped.Components = c.root.Root // not its own cloud's
	mapped.Start()
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("cloudctl\nguessed-by-somebody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, x := range map[string]struct {
		n    *NATS
		log  *bytesLog
		want string
	}{
		"a wrong password":   {c.join(cloudctl, wrong), &c.log, "give --events-credentials a file"},
		"another authority":  {c.join(walrus, c.Login("walrus"), func(_ *Options, at *Address) { at.CA = c.root.RootPEM() }), &c.log, `of the authority \"CN=authority of NATS\": give cloudctl that one's file by --events-ca`},
		"none of our clouds": {mapped.join(cloudctl, ""), &mapped.log, "let its ca_file hold the cloud's authority too"},
	} {
		eventually(t, what, func() bool { return x.log.has(x.want) })
		if x.n.Connected() {
			t.Errorf("%s: connected", what)
		}
	}
	if c.log.has("guessed-by-somebody") {
		t.Error("the log has a password")
	}
	deaf := c.join(cloudctl, c.Login("reader"))
	eventually(t, "connected", deaf.Connected)
	if err := deaf.Publish(t.Context(), event("x", "identity.user")); err == nil {
		t.Error("what the server did not take is taken for told")
	}
	eventually(t, "the log says so", func() bool { return c.log.has("cloudctl publishes and subscribes to karri.>") })
	name := x509.HostnameError{Host: "nats", Certificate: &x509.Certificate{DNSNames: []string{"nats.example"}}}
	if got := advice(fmt.Errorf("tls: %w", name), true); !strings.Contains(got, "is for nats.example: name it so in --events-url") {
		t.Error(got)
	}
	for _, bad := range []string{"a b c\n", "", "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VX"} {
		file := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := credentials(file); err == nil || !strings.Contains(err.Error(), "--events-credentials: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{filepath.Join(t.TempDir(), "none"), wrong} {
		if _, err := Outside(c.URLs(), bad); err == nil || !strings.Contains(err.Error(), "--events-ca: ") {
			t.Error(err)
		}
	}
}

// lies are messages that pretend to be an event that cloudctl told, made of one
// that it did tell.
func (c *company) lies(real []byte) (lies map[string][]byte) {
	c.t.Helper()
	other, err := pki.NewRoot(time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	forged := event("forged", "identity.user")
	by := func(root *pki.Credentials, id pki.Identity) []byte {
		b, err := seal(forged, issue(c.t, root, id))
		if err != nil {
			c.t.Fatal(err)
		}
		return b
	}
	plain, err := json.Marshal(forged)
	if err != nil {
		c.t.Fatal(err)
	}
	var borrowed, altered, naked signed
	for _, m := range []*signed{&borrowed, &altered, &naked} {
		if err := json.Unmarshal(real, m); err != nil {
			c.t.Fatal(err)
		}
	}
	borrowed.Event, naked.Chain = plain, nil
	altered.Event = bytes.Replace(altered.Event, []byte("true"), []byte("fals"), 1)
	lies = map[string][]byte{"nothing": nil, "no signature": plain, "another cloud": by(other, cloudctl), "a blockstore": by(c.root, pki.Identity{Role: pki.Blockstore, Zone: "z"}),
		"walrus itself": by(c.root, walrus), "a node": by(c.root, pki.Identity{Role: pki.Nodectl, Zone: "z", Name: "n"})}
	for what, m := range map[string]signed{"a borrowed certificate": borrowed, "altered": altered, "no certificate": naked} {
		if lies[what], err = json.Marshal(m); err != nil {
			c.t.Fatal(err)
		}
	}
	return lies
}

// An outsider whom the cluster lets say anything says nothing that is believed:
// at most he repeats what a component said.
func TestAnOutsiderForgesNoEvent(t *testing.T) {
	c := newCompany(t)
	c.Start()
	var refused atomic.Int32
	cloud := c.join(cloudctl, c.Login("cloudctl"))
	store := c.join(walrus, c.Login("walrus"), func(o *Options, _ *Address) { o.Refused = func() { refused.Add(1) } })
	var users heard
	if _, err := store.Subscribe("identity.>", users.take); err != nil {
		t.Fatal(err)
	}
	eventually(t, "connected", func() bool { return cloud.Connected() && store.Connected() })
	outsider := c.Outsider()
	captured := outsider.Hear("karri.identity.user")
	var real []byte
	eventually(t, "the first is heard", func() bool {
		if err := cloud.Publish(t.Context(), event("true", "identity.user")); err != nil {
			t.Fatal(err)
		}
		select {
		case real = <-captured:
		case <-time.After(100 * time.Millisecond):
		}
		return real != nil && len(users.all()) > 0
	})
	lies := c.lies(real)
	before := int32(0)
	for what, lie := range lies {
		outsider.Say("karri.identity.user", lie)
		eventually(t, what+" is refused", func() bool { return refused.Load() > before })
		before = refused.Load()
	}
	outsider.Say("karri.identity.policy", real) // of another subject
	eventually(t, "what was said of something else is refused", func() bool { return refused.Load() > before })
	n := len(users.all())
	outsider.Say("karri.identity.user", real)
	eventually(t, "what is repeated is heard", func() bool { return len(users.all()) > n })
	if got := users.all(); slices.ContainsFunc(got, func(id string) bool { return id != "true" }) {
		t.Errorf("heard %v", got)
	}
}

func FuzzRead(f *testing.F) {
	root, err := pki.NewRoot(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add("identity.user", []byte(`{"event":"e30=","chain":["AAAA"],"signature":"AAAA"}`))
	f.Add("a", []byte(`{}`))
	r := &reader{self: func() *pki.Credentials { return root }}
	f.Fuzz(func(t *testing.T, subject string, message []byte) {
		if e, err := r.read(subject, message); err == nil {
			t.Errorf("%+v is believed", e)
		}
	})
}
