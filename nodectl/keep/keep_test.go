package keep

import (
	"os"
	"testing"
	"time"

	"karri/nodectl/host"
	"karri/shared/life"
	"karri/shared/wire"
)

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
