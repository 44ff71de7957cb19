package hosttest

import (
	"context"
	"slices"
	"testing"
	"time"

	"karri/nodectl/host"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// A Bench is a host to be tested, with an order for an instance that it can
// run. The guest hears its power button once it runs.
type Bench struct {
	Host  host.Host
	ID    id.Instance
	Order wire.Instance
}

// Suite holds a host to what its interface promises.
func Suite(t *testing.T, build func(t *testing.T) Bench) {
	t.Run("what is not there can be ended", func(t *testing.T) { endsNothing(t, build(t)) })
	t.Run("the order of things is kept", func(t *testing.T) { keepsOrder(t, build(t)) })
	t.Run("a life", func(t *testing.T) { lives(t, build(t)) })
}

func (b Bench) seen(t *testing.T) host.Seen {
	t.Helper()
	s, err := b.Host.Seen(t.Context(), b.ID, b.Order)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// until does do again and again until the host shows what is wanted.
func (b Bench) until(t *testing.T, what string, ok func(host.Seen) bool, do func() error) {
	t.Helper()
	for range 60 {
		if ok(b.seen(t)) {
			return
		}
		if err := do(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for range 10 {
			if ok(b.seen(t)) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	t.Fatalf("never %s: %+v", what, b.seen(t))
}

// twice does what must be harmless when repeated.
func twice(t *testing.T, what string, do func() error) {
	t.Helper()
	for range 2 {
		if err := do(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func endsNothing(t *testing.T, b Bench) {
	ctx, h := t.Context(), b.Host
	for what, do := range map[string]func(context.Context, id.Instance) error{
		"destroy": h.Destroy, "forget": h.Forget, "shut down": h.Shutdown, "reboot": h.Reboot, "reset": h.Reset,
		"resume": h.Resume, "remove disk": h.RemoveDisk, "sweep": h.Sweep,
	} {
		twice(t, what, func() error { return do(ctx, b.ID) })
	}
	twice(t, "detach", func() error { return h.Detach(ctx, b.ID, "vol-0123456789abcdef0") })
	twice(t, "unplug", func() error { return h.Unplug(ctx, b.ID, b.Order) })
	if s := b.seen(t); s.Disk || s.Net || s.Machine != host.Absent {
		t.Errorf("there is something: %+v", s)
	}
	if all, err := h.Instances(ctx); err != nil || slices.Contains(all, b.ID) {
		t.Errorf("%v %v", all, err)
	}
	if h.Boot() == "" {
		t.Error("the boot has no name")
	}
}

func keepsOrder(t *testing.T, b Bench) {
	ctx, h := t.Context(), b.Host
	if err := h.Start(ctx, b.ID, b.Order); fault.KindOf(err) != fault.Conflict {
		t.Errorf("started without a disk: %v", err)
	}
	bad := b.Order
	bad.Image.Format = "vmdk"
	if err := h.MakeDisk(ctx, b.ID, bad); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a disk of an unknown format: %v", err)
	}
	if err := h.MakeDisk(ctx, "../x", b.Order); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a disk for no instance: %v", err)
	}
	if err := h.MakeDisk(ctx, b.ID, b.Order); err != nil {
		t.Fatal(err)
	}
	if err := h.Plug(ctx, b.ID, b.Order); fault.KindOf(err) != fault.Later {
		t.Errorf("plugged before its taps are there: %v", err)
	}
	if err := h.Sweep(ctx, b.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("swept with its disk: %v", err)
	}
	if err := h.Start(ctx, b.ID, b.Order); err != nil {
		t.Fatal(err)
	}
	if err := h.RemoveDisk(ctx, b.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the disk of a machine that is on was removed: %v", err)
	}
	if err := h.Forget(ctx, b.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a machine that is on was forgotten: %v", err)
	}
	if err := h.Attach(ctx, b.ID, "vol-0123456789abcdef0", wire.Attachment{Epoch: 1, Device: "/dev/sdf"}); fault.KindOf(err) != fault.Later {
		t.Errorf("a volume that is not served was attached: %v", err)
	}
	b.end(t)
}

func (b Bench) end(t *testing.T) {
	t.Helper()
	ctx, h := t.Context(), b.Host
	twice(t, "destroy", func() error { return h.Destroy(ctx, b.ID) })
	twice(t, "unplug", func() error { return h.Unplug(ctx, b.ID, b.Order) })
	twice(t, "forget", func() error { return h.Forget(ctx, b.ID) })
	twice(t, "remove disk", func() error { return h.RemoveDisk(ctx, b.ID) })
	twice(t, "sweep", func() error { return h.Sweep(ctx, b.ID) })
	endsNothing(t, b)
}

func lives(t *testing.T, b Bench) {
	ctx, h := t.Context(), b.Host
	on := func(m host.Machine) func(host.Seen) bool { return func(s host.Seen) bool { return s.Machine == m } }
	twice(t, "make disk", func() error { return h.MakeDisk(ctx, b.ID, b.Order) })
	if s := b.seen(t); !s.Disk || s.Machine != host.Absent {
		t.Errorf("%+v", s)
	}
	for n := range 2 {
		twice(t, "start", func() error { return h.Start(ctx, b.ID, b.Order) })
		if s := b.seen(t); s.Machine != host.Paused || s.Net {
			t.Errorf("after start %+v", s)
		}
		twice(t, "plug", func() error { return h.Plug(ctx, b.ID, b.Order) })
		if s := b.seen(t); s.Machine != host.Paused || !s.Net {
			t.Errorf("after plug %+v", s)
		}
		twice(t, "resume", func() error { return h.Resume(ctx, b.ID) })
		b.until(t, "running", on(host.Running), func() error { return nil })
		if all, err := h.Instances(ctx); err != nil || !slices.Contains(all, b.ID) {
			t.Errorf("%v %v", all, err)
		}
		if n == 0 {
			was := b.seen(t).Resets
			b.until(t, "rebooted", func(s host.Seen) bool { return s.Resets > was && s.Machine == host.Running && s.Net },
				func() error { return h.Reboot(ctx, b.ID) })
			was = b.seen(t).Resets
			b.until(t, "reset", func(s host.Seen) bool { return s.Resets > was && s.Machine == host.Running },
				func() error { return h.Reset(ctx, b.ID) })
			b.until(t, "shut down", on(host.Down), func() error { return h.Shutdown(ctx, b.ID) })
			if s := b.seen(t); s.Off != host.OffByGuest || s.Net || !s.Disk {
				t.Errorf("after the button %+v", s)
			}
		}
	}
	if err := h.Destroy(ctx, b.ID); err != nil {
		t.Fatal(err)
	}
	if s := b.seen(t); s.Machine != host.Down || s.Off != host.OffByForce || s.Net {
		t.Errorf("after destroy %+v", s)
	}
	b.end(t)
}
