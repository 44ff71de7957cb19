package keep

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"karri/nodectl/host"
	"karri/nodectl/host/hosttest"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

const (
	one  = id.Instance("i-00000000000000001")
	disk = id.Volume("vol-00000000000000001")
)

// book is the orders of a test.
type book struct {
	mu      sync.Mutex
	all     map[id.Instance]wire.Instance
	changed chan struct{}
}

func newBook() *book {
	return &book{all: map[id.Instance]wire.Instance{}, changed: make(chan struct{})}
}

func (b *book) Orders() (wire.NodeOrders, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return wire.NodeOrders{Instances: maps.Clone(b.all)}, 1
}

func (b *book) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// order changes what is ordered of an instance; nil withdraws the order.
func (b *book) order(i id.Instance, change func(*wire.Instance)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if change == nil {
		delete(b.all, i)
	} else {
		w := b.all[i]
		w.Volumes = maps.Clone(w.Volumes)
		change(&w)
		b.all[i] = w
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// memory is Notes in memory, with the fuse of the world.
type memory struct {
	fuse *lifetest.Fuse
	m    map[id.Instance]Note
}

func (m memory) Read(i id.Instance) (Note, error) { return m.m[i], nil }

func (m memory) Write(i id.Instance, n Note) error {
	m.fuse.Around(func() { m.m[i] = n })
	return nil
}

// bench is a host with a keeper that can be started anew.
type bench struct {
	t     testing.TB
	fake  *hosttest.Fake
	book  *book
	notes memory
	clock time.Time
	k     *Keeper
}

func newBench(t testing.TB, fuse *lifetest.Fuse) *bench {
	b := &bench{t: t, fake: hosttest.NewFake(), book: newBook(), clock: time.Unix(1e9, 0), notes: memory{fuse, map[id.Instance]Note{}}}
	b.fake.Fuse = fuse
	b.restart()
	return b
}

func (b *bench) restart() {
	b.k = New(b.fake, b.book, b.notes, Patience{}, func() time.Time { return b.clock })
}

func (b *bench) want(w wire.Want) {
	b.book.order(one, func(o *wire.Instance) {
		o.Want, o.Image.Format = w, "raw"
		if o.Launched.IsZero() {
			o.Launched = time.Unix(5e8, 0)
		}
	})
}

// round goes as far as it goes at one moment. Errors are part of life.
func (b *bench) round() error {
	err := b.k.Kind().SettleAll(context.Background())
	b.clock = b.clock.Add(5 * time.Second)
	return err
}

// rest makes rounds until all that is to be waited for has come or gone.
func (b *bench) rest() error {
	var err error
	for range 40 {
		err = b.round()
	}
	return err
}

func (b *bench) seen() host.Seen {
	s, _ := b.fake.Seen(context.Background(), one, wire.Instance{})
	return s
}

func (b *bench) report() wire.InstanceSeen {
	return b.k.Report(func(string) (life.Status, bool) { return life.Status{}, false })[one]
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) shows(state wire.InstanceState, reason string) {
	b.t.Helper()
	if r := b.report(); r.State != state || r.Reason != reason {
		b.t.Errorf("reported %s %q, want %s %q; seen %+v", r.State, r.Reason, state, reason, b.seen())
	}
}

func attachment(epoch uint64, served bool) wire.Attachment {
	a := wire.Attachment{Want: wire.Attached, Device: "/dev/sdf", Epoch: epoch}
	if served {
		a.Address, a.Export = "10.0.0.1:10809", fmt.Sprintf("%s/%d", disk, epoch)
	}
	return a
}

func (b *bench) attach(a wire.Attachment) {
	b.book.order(one, func(o *wire.Instance) {
		if o.Volumes == nil {
			o.Volumes = map[id.Volume]wire.Attachment{}
		}
		o.Volumes[disk] = a
	})
}
