// Package hosttest has a host in memory that is as strict as a real one, and
// the suite that both pass.
//
// The fake world outlives whoever uses it: a test crashes a keeper by the fuse,
// which burns before or after any one change, and starts another over the same
// Fake. What a keeper must never do, to let a guest run before its rules are in
// force, is written down in Wrong.
package hosttest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"karri/nodectl/host"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

// A Fake is a host in memory.
type Fake struct {
	Fuse *lifetest.Fuse // may be nil

	mu     sync.Mutex
	boot   int
	bodies map[id.Instance]*body
	wrong  []string
	nudge  func(id.Instance)
}

// body is all that there is of one instance.
type body struct {
	host.Seen
	console string
	deaf    bool // the guest does not hear its power button
	broken  bool // a disk of it gives I/O errors
	ran     int  // how often it was let run from the start
}

// NewFake returns an empty host.
func NewFake() *Fake { return &Fake{bodies: map[id.Instance]*body{}} }

var _ host.Host = (*Fake)(nil)

// Watch makes f call nudge, like the events of libvirt, when an instance
// changed by itself.
func (f *Fake) Watch(nudge func(id.Instance)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nudge = nudge
}

// Wrong lists what was done that must never be done.
func (f *Fake) Wrong() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.wrong)
}

// Runs returns how often the guest of i was let run from its start.
func (f *Fake) Runs(i id.Instance) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.bodies[i]; b != nil {
		return b.ran
	}
	return 0
}

// look does something to what there is of i, if there is anything.
func (f *Fake) look(i id.Instance, do func(b *body)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.bodies[i]; b != nil {
		do(b)
	}
}

// change does a change with a chance to crash before and after it.
func (f *Fake) change(i id.Instance, do func(b *body)) {
	f.Fuse.Around(func() { f.look(i, do) })
}

func (b *body) switchOff(why host.Off) {
	if b.Machine.On() {
		b.Machine, b.Off, b.Net, b.Volumes = host.Down, why, false, nil
	}
}

// Boot implements host.Host.
func (f *Fake) Boot() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprint("boot-", f.boot)
}

// Instances implements host.Host.
func (f *Fake) Instances(context.Context) ([]id.Instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.bodies)), nil
}

// Seen implements host.Host.
func (f *Fake) Seen(_ context.Context, i id.Instance, _ wire.Instance) (s host.Seen, err error) {
	f.look(i, func(b *body) {
		s = b.Seen
		s.Kept = true
		s.Volumes = maps.Clone(b.Volumes)
	})
	return s, nil
}

// MakeDisk implements host.Host.
func (f *Fake) MakeDisk(ctx context.Context, i id.Instance, w wire.Instance) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !id.Valid[id.Instance](string(i)) {
		return fault.New(fault.Invalid, "InvalidInstanceID.Malformed", "%q is not an instance's id.", string(i))
	}
	if w.Image.Format != "raw" && w.Image.Format != "qcow2" {
		return fault.New(fault.Invalid, "InvalidManifest", "The image is of format %q.", w.Image.Format)
	}
	f.mu.Lock()
	if f.bodies[i] == nil {
		f.bodies[i] = &body{}
	}
	f.mu.Unlock()
	f.change(i, func(b *body) { b.Disk = true })
	return nil
}

// RemoveDisk implements host.Host.
func (f *Fake) RemoveDisk(_ context.Context, i id.Instance) (err error) {
	f.change(i, func(b *body) {
		if b.Machine.On() {
			err = conflict(i)
			return
		}
		b.Disk = false
	})
	return err
}

// Sweep implements host.Host.
func (f *Fake) Sweep(_ context.Context, i id.Instance) (err error) {
	f.change(i, func(b *body) {
		if b.Disk || b.Machine != host.Absent {
			err = conflict(i)
			return
		}
		delete(f.bodies, i)
	})
	return err
}

// Plug implements host.Host.
func (f *Fake) Plug(_ context.Context, i id.Instance, _ wire.Instance) error {
	err := error(fault.New(fault.Later, "TapMissing", "The machine's interface is not there."))
	f.change(i, func(b *body) {
		if b.Machine.On() {
			b.Net, err = true, nil
		}
	})
	return err
}

// Unplug implements host.Host.
func (f *Fake) Unplug(_ context.Context, i id.Instance, _ wire.Instance) error {
	f.change(i, func(b *body) { b.Net = false })
	return nil
}

// Start implements host.Host.
func (f *Fake) Start(_ context.Context, i id.Instance, _ wire.Instance) error {
	err := error(conflict(i)) // no disk
	f.change(i, func(b *body) {
		if !b.Disk {
			return
		}
		if err = nil; !b.Machine.On() {
			b.Machine, b.Net, b.Volumes = host.Paused, false, map[id.Volume]wire.VolumePlugged{}
		}
	})
	return err
}

// Resume implements host.Host.
func (f *Fake) Resume(_ context.Context, i id.Instance) error {
	f.change(i, func(b *body) {
		switch {
		case b.Machine == host.Paused && !b.Net:
			f.wrong = append(f.wrong, string(i)+" was let run before its rules were in force")
		case b.Machine == host.Paused:
			b.console += "hello from " + string(i) + "\n"
			b.ran++
		}
		switch {
		case b.Machine.On() && b.broken:
			b.Machine = host.Halted
		case b.Machine.On():
			b.Machine = host.Running
		}
	})
	return nil
}

// Shutdown implements host.Host.
func (f *Fake) Shutdown(_ context.Context, i id.Instance) error {
	f.change(i, func(b *body) {
		if b.Machine == host.Running && !b.deaf {
			b.switchOff(host.OffByGuest)
		}
	})
	return nil
}

// Reboot implements host.Host.
func (f *Fake) Reboot(_ context.Context, i id.Instance) error {
	f.change(i, func(b *body) {
		if b.Machine == host.Running && !b.deaf {
			b.Resets++
		}
	})
	return nil
}

// Reset implements host.Host.
func (f *Fake) Reset(_ context.Context, i id.Instance) error {
	f.change(i, func(b *body) {
		if b.Machine.On() {
			b.Resets++
		}
	})
	return nil
}

// Destroy implements host.Host.
func (f *Fake) Destroy(_ context.Context, i id.Instance) error {
	f.change(i, func(b *body) { b.switchOff(host.OffByForce) })
	return nil
}

// Forget implements host.Host.
func (f *Fake) Forget(_ context.Context, i id.Instance) (err error) {
	f.change(i, func(b *body) {
		if b.Machine.On() {
			err = conflict(i)
			return
		}
		b.Machine, b.Off, b.Resets = host.Absent, "", 0
	})
	return err
}

// Attach implements host.Host.
func (f *Fake) Attach(_ context.Context, i id.Instance, v id.Volume, a wire.Attachment) (err error) {
	if a.Address == "" || a.Export == "" {
		return fault.New(fault.Later, "VolumeNotServed", "%s is not served yet.", v)
	}
	f.change(i, func(b *body) {
		if old, there := b.Volumes[v]; there && old.Epoch != a.Epoch {
			err = fault.New(fault.Conflict, "IncorrectState", "%s is still plugged in by epoch %d.", v, old.Epoch)
			return
		}
		if b.Machine.On() {
			b.Volumes[v] = wire.VolumePlugged{Epoch: a.Epoch, Device: a.Device}
		}
	})
	return err
}

// Detach implements host.Host.
func (f *Fake) Detach(_ context.Context, i id.Instance, v id.Volume) error {
	f.change(i, func(b *body) {
		if b.Machine == host.Running && !b.deaf {
			delete(b.Volumes, v)
		}
	})
	return nil
}

// Console returns what the guest wrote.
func (f *Fake) Console(_ context.Context, i id.Instance) ([]byte, error) {
	out, err := []byte(nil), error(fault.New(fault.Missing, "InvalidInstanceID.NotFound", "This host knows no instance %s.", i))
	f.look(i, func(b *body) { out, err = []byte(b.console), nil })
	return out, err
}

func conflict(i id.Instance) error {
	return fault.New(fault.Conflict, "IncorrectInstanceState", "%s is not in a state that allows this.", i)
}
