package keep

import (
	"context"
	"fmt"
	"maps"
	"os"
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

func TestALife(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.shows(wire.InstanceRunning, "")
	b.want(wire.Stopped)
	b.must(b.round())
	b.shows(wire.InstanceStopped, "")
	if s := b.seen(); !s.Disk || s.Off != host.OffByGuest {
		t.Errorf("%+v", s)
	}
	b.want(wire.Running)
	b.must(b.round())
	b.shows(wire.InstanceRunning, "")
	b.want(wire.Gone)
	b.must(b.round())
	b.shows(wire.InstanceGone, "")
	if s := b.seen(); s.Disk || s.Machine != host.Absent {
		t.Errorf("%+v", s)
	}
	if w := b.fake.Wrong(); len(w) > 0 || b.fake.Runs(one) != 2 {
		t.Error(w, b.fake.Runs(one))
	}
}

func TestTheConsoleOutlivesTheInstanceForAnHour(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.want(wire.Gone)
	b.must(b.round())
	b.book.order(one, nil)
	b.clock = b.clock.Add(50 * time.Minute)
	b.must(b.round())
	if text, err := b.fake.Console(t.Context(), one); err != nil || len(text) == 0 {
		t.Errorf("%q %v", text, err)
	}
	if r := b.k.Report(func(string) (life.Status, bool) { return life.Status{}, false }); len(r) != 0 {
		t.Errorf("a console is reported as an instance: %+v", r)
	}
	b.clock = b.clock.Add(11 * time.Minute)
	b.must(b.round())
	if text, err := b.fake.Console(t.Context(), one); err == nil {
		t.Errorf("%q is kept for ever", text)
	}
}

func TestSilenceEndsNothing(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.book.order(one, nil)
	b.must(b.rest())
	if r := b.report(); r.State != wire.InstanceRunning || !r.Stray {
		t.Errorf("%+v", r)
	}
	b.fake.PowerOff(one)
	b.must(b.rest())
	if r := b.report(); r.State != wire.InstanceStopped || !r.Stray || !b.seen().Disk {
		t.Errorf("%+v", r)
	}
	b.want("asleep") // a wish of a later version
	b.must(b.rest())
	if !b.seen().Disk {
		t.Error("a wish that is not understood took the disk")
	}
}

func TestAGuestThatPowersItselfOffStaysOff(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.fake.PowerOff(one)
	b.must(b.rest())
	b.shows(wire.InstanceStopped, selfStopped)
	b.restart()
	b.fake.RestartLibvirt()
	b.must(b.rest())
	b.shows(wire.InstanceStopped, selfStopped)
	b.fake.RebootHost()
	b.restart()
	b.must(b.rest())
	b.shows(wire.InstanceStopped, selfStopped)
	if b.fake.Runs(one) != 1 {
		t.Fatalf("it was let run %d times", b.fake.Runs(one))
	}
	// The user starts it: the cloud says stopped and then running, ...
	b.want(wire.Stopped)
	b.must(b.round())
	b.want(wire.Running)
	b.must(b.round())
	b.shows(wire.InstanceRunning, "")
	// ... or the node only ever sees the later order.
	b.fake.PowerOff(one)
	b.must(b.round())
	b.book.order(one, func(o *wire.Instance) { o.Launched = b.clock })
	b.must(b.round())
	b.shows(wire.InstanceRunning, "")
}

func TestWhatWasSwitchedOffWhileNobodyLookedStaysOff(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.fake.PowerOff(one)
	b.fake.RestartLibvirt()
	b.restart()
	b.must(b.rest())
	b.shows(wire.InstanceStopped, selfStopped)
}

func TestARebootedHostStartsWhatIsWished(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.fake.RebootHost()
	b.restart()
	b.must(b.round())
	b.shows(wire.InstanceRunning, "")
	if b.fake.Runs(one) != 2 {
		t.Errorf("let run %d times", b.fake.Runs(one))
	}
}

func TestACrashedMachineIsStartedAgain(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.fake.Crash(one)
	b.must(b.round())
	b.shows(wire.InstancePending, "") // not at once
	b.must(b.rest())
	b.shows(wire.InstanceRunning, "")
}

func TestADeafGuestIsSwitchedOffAfterItsPatience(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.fake.Deafen(one, true)
	b.want(wire.Stopped)
	for range 12 {
		b.must(b.round())
	}
	b.shows(wire.InstanceStopping, "")
	b.restart() // forgets since when it was asked: it is given its time anew
	for range 12 {
		b.must(b.round())
	}
	b.shows(wire.InstanceStopping, "")
	for range 3 {
		b.must(b.round())
	}
	b.shows(wire.InstanceStopped, "")
	b.want(wire.Running)
	b.must(b.round())
	b.fake.Deafen(one, true)
	b.book.order(one, func(o *wire.Instance) { o.Want, o.Force = wire.Stopped, true })
	b.must(b.round())
	b.shows(wire.InstanceStopped, "")
}

func TestAGuestThatWasTakenBackToRunningOwnsItsEnd(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.fake.Deafen(one, true)
	b.want(wire.Stopped)
	b.must(b.round())
	b.want(wire.Running)
	b.must(b.rest())
	b.fake.PowerOff(one)
	b.must(b.rest())
	b.shows(wire.InstanceStopped, selfStopped)
}

func TestReboots(t *testing.T) {
	b := newBench(t, nil)
	reboot := func() { b.book.order(one, func(o *wire.Instance) { o.Reboots++ }) }
	reboot() // before it ever ran: the start is the reboot
	b.want(wire.Running)
	b.must(b.round())
	if b.seen().Resets != 0 || b.report().Reboots != 1 {
		t.Errorf("%+v %+v", b.seen(), b.report())
	}
	reboot()
	b.must(b.round())
	b.must(b.round())
	if b.seen().Resets != 1 || b.report().Reboots != 2 {
		t.Errorf("%+v %+v", b.seen(), b.report())
	}
	b.fake.Deafen(one, true)
	reboot()
	b.must(b.rest())
	if b.seen().Resets != 2 || b.report().Reboots != 3 {
		t.Errorf("a deaf guest: %+v %+v", b.seen(), b.report())
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

func TestVolumesFollowTheirEpoch(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.attach(attachment(1, false))
	b.must(b.round())
	if r := b.report(); r.State != wire.InstanceRunning || len(r.Volumes) != 0 {
		t.Errorf("an unserved volume holds it up: %+v", r)
	}
	for _, epoch := range []uint64{1, 2} { // the second takes the place of the first
		b.attach(attachment(epoch, true))
		b.must(b.round())
		if r := b.report(); r.Volumes[disk] != (wire.VolumePlugged{Epoch: epoch, Device: "/dev/sdf"}) {
			t.Errorf("epoch %d: %+v", epoch, r)
		}
	}
	b.fake.Deafen(one, true)
	b.attach(wire.Attachment{Want: wire.Detached, Epoch: 2})
	b.must(b.rest())
	if len(b.report().Volumes) != 1 {
		t.Error("the guest has not let go")
	}
	b.fake.Deafen(one, false)
	b.must(b.rest())
	if len(b.report().Volumes) != 0 {
		t.Error("it still has the volume")
	}
}

func TestAnIOErrorIsWaitedOut(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.attach(attachment(1, true))
	b.must(b.round())
	b.fake.Break(one, true)
	b.must(b.rest())
	if b.seen().Machine != host.Halted {
		t.Errorf("%+v", b.seen())
	}
	b.shows(wire.InstanceRunning, "")
	b.fake.Break(one, false)
	b.must(b.round())
	if b.seen().Machine != host.Running {
		t.Errorf("%+v", b.seen())
	}
}

func TestABadImageIsReported(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.book.order(one, func(o *wire.Instance) { o.Image.Format = "vmdk" })
	if err := b.round(); err == nil {
		t.Error("no error")
	}
	b.shows(wire.InstanceBroken, `Server.InternalError: The image is of format "vmdk".`)
	b.want(wire.Running)
	b.must(b.round())
	b.shows(wire.InstanceRunning, "")
}

func TestALostDiskIsNotMadeAnew(t *testing.T) {
	b := newBench(t, nil)
	b.want(wire.Running)
	b.must(b.round())
	b.fake.Crash(one)
	b.fake.LoseDisk(one)
	b.must(b.rest())
	b.shows(wire.InstanceBroken, "Server.InternalError: its disk is lost")
	if b.seen().Disk {
		t.Error("it got an empty disk")
	}
}

// wishes are all that an order may turn to.
var wishes = map[string]func(*wire.Instance){
	"running":  func(o *wire.Instance) { o.Want = wire.Running },
	"stopped":  func(o *wire.Instance) { o.Want = wire.Stopped },
	"forced":   func(o *wire.Instance) { o.Want, o.Force = wire.Stopped, true },
	"gone":     func(o *wire.Instance) { o.Want = wire.Gone },
	"rebooted": func(o *wire.Instance) { o.Reboots++ },
	"with a volume": func(o *wire.Instance) {
		o.Volumes = map[id.Volume]wire.Attachment{disk: attachment(1, true)}
	},
	"with a volume of another epoch": func(o *wire.Instance) {
		o.Volumes = map[id.Volume]wire.Attachment{disk: attachment(2, true)}
	},
	"without volumes": func(o *wire.Instance) { o.Volumes = nil },
}

// asWished checks that the world is what the order wants.
func (b *bench) asWished(t testing.TB) {
	t.Helper()
	o, s, r := b.book.all[one], b.seen(), b.report()
	if w := b.fake.Wrong(); len(w) > 0 {
		t.Error(w)
	}
	switch o.Want {
	case wire.Gone:
		if s.Disk || s.Machine != host.Absent || r.State != wire.InstanceGone {
			t.Errorf("not gone: %+v %+v", s, r)
		}
	case wire.Stopped:
		if s.Machine.On() || r.State != wire.InstanceStopped {
			t.Errorf("not stopped: %+v %+v", s, r)
		}
	case wire.Running:
		if !s.Disk || !s.Net || s.Machine != host.Running || r.State != wire.InstanceRunning || r.Reboots != o.Reboots {
			t.Errorf("not running: %+v %+v", s, r)
		}
		volumes := map[id.Volume]wire.VolumePlugged{}
		for v, a := range o.Volumes {
			volumes[v] = wire.VolumePlugged{Epoch: a.Epoch, Device: a.Device}
		}
		if !maps.Equal(volumes, s.Volumes) {
			t.Errorf("volumes %+v, want %+v", s.Volumes, volumes)
		}
	}
}

// TestCrashesAnywhereAreHealed takes an instance from each wish to each other,
// with a crash of the keeper at every point of both ways.
func TestCrashesAnywhereAreHealed(t *testing.T) {
	points := 0
	for name, from := range wishes {
		for other, to := range wishes {
			if name == "gone" && other != "gone" {
				continue // nothing comes after that
			}
			points += lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
				b := newBench(t, fuse)
				b.want(wire.Running)
				b.book.order(one, from)
				return func() error {
						b.restart()
						if err := b.rest(); err != nil {
							return err
						}
						b.book.order(one, to)
						return b.rest()
					}, func(t testing.TB) {
						b.asWished(t)
					}
			})
		}
	}
	t.Logf("crashed at %d points", points)
}

// TestWishesMayChangeAnywhere turns each wish into each other at every point on
// the way to the first, where a step is cut off: of a keeper that lives on, and
// of one that crashes.
func TestWishesMayChangeAnywhere(t *testing.T) {
	points := 0
	for _, c := range []struct {
		start   wire.Want
		crashes bool
	}{{"", false}, {"", true}, {wire.Running, false}, {wire.Running, true}} {
		for name, from := range wishes {
			for other, to := range wishes {
				if name == "gone" && other != "gone" {
					continue
				}
				n := lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
					b := newBench(t, nil)
					b.want(wire.Running)
					if c.start != "" {
						b.must(b.rest())
					}
					b.fake.Fuse, b.notes.fuse = fuse, fuse
					b.book.order(one, from)
					began := false
					return func() error {
							if began { // after the crash: another wish
								b.book.order(one, to)
							}
							if began = true; c.crashes {
								b.restart()
							}
							return b.rest()
						}, func(t testing.TB) {
							t.Helper()
							b.asWished(t)
							if t.Failed() {
								t.Fatalf("from %s to %s", name, other)
							}
						}
				})
				points += n
			}
		}
	}
	t.Logf("changed at %d points", points)
}

func TestNotesAreKeptInTheFolder(t *testing.T) {
	dir := t.TempDir()
	f := Folder(dir)
	if n, err := f.Read(one); err != nil || n != (Note{}) {
		t.Error(n, err)
	}
	want := Note{Boot: "b", Launched: time.Unix(1, 0).UTC(), Stopping: true, Reboots: 3}
	if err := os.Mkdir(dir+"/"+string(one), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(one, want); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Read(one); err != nil || n != want {
		t.Error(n, err)
	}
	if _, err := f.Read("../x"); err == nil {
		t.Error("a path is taken for an id")
	}
}
