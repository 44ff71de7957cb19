package host

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"karri/nodectl/disk"
	"karri/nodectl/hypervisor"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/image"
	"karri/shared/wire"
)

// Real is the Host that is really there.
type Real struct {
	disks *disk.Disks
	hv    *hypervisor.Hypervisor
	net   Network
	boot  string
}

var _ Host = (*Real)(nil)

// NewReal joins the three parts of a host.
func NewReal(disks *disk.Disks, hv *hypervisor.Hypervisor, net Network) (*Real, error) {
	boot, err := BootID()
	return &Real{disks, hv, net, boot}, err
}

// BootID returns the kernel's name of the present boot.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}

// Boot implements Host.
func (r *Real) Boot() string { return r.boot }

// Instances implements Host.
func (r *Real) Instances(ctx context.Context) ([]id.Instance, error) {
	list, err := r.disks.List()
	if err != nil {
		return nil, err
	}
	domains, err := r.hv.List(ctx)
	if err != nil {
		return nil, err
	}
	list = append(list, domains...)
	slices.Sort(list)
	return slices.Compact(list), nil
}

// Seen implements Host.
func (r *Real) Seen(ctx context.Context, i id.Instance, w wire.Instance) (s Seen, err error) {
	if s.Kept, s.Disk, err = r.disks.Has(i); err != nil {
		return s, err
	}
	d, err := r.hv.Look(ctx, i)
	if err != nil {
		return s, err
	}
	s.Machine, s.Off, s.Resets = machine(d), off[d.Off], r.hv.Resets(i)
	if !s.Machine.On() {
		return s, nil
	}
	s.Volumes = map[id.Volume]wire.VolumePlugged{}
	for v, p := range d.Volumes {
		s.Volumes[v] = wire.VolumePlugged{Epoch: p.Epoch, Device: p.Device}
	}
	s.Net, err = r.net.Plugged(ctx, i, w)
	return s, err
}

var off = map[hypervisor.Off]Off{
	hypervisor.OffUnknown: OffUnknown, hypervisor.OffShutdown: OffByGuest,
	hypervisor.OffDestroyed: OffByForce, hypervisor.OffCrashed: OffByCrash,
}

func machine(d hypervisor.State) Machine {
	switch {
	case d.IOError:
		return Halted
	case d.Running:
		return Running
	case d.On:
		return Paused
	case d.Defined:
		return Down
	}
	return Absent
}

// MakeDisk implements Disks.
func (r *Real) MakeDisk(ctx context.Context, i id.Instance, w wire.Instance) error {
	return r.disks.Make(ctx, i, w)
}

// RemoveDisk implements Disks. A disk that a machine has open is not removed.
func (r *Real) RemoveDisk(ctx context.Context, i id.Instance) error {
	d, err := r.hv.Look(ctx, i)
	if err != nil {
		return err
	}
	if d.On {
		return fault.New(fault.Conflict, "IncorrectInstanceState", "The machine of %s is on.", i)
	}
	return r.disks.Remove(ctx, i)
}

// Sweep implements Disks.
func (r *Real) Sweep(ctx context.Context, i id.Instance) error { return r.disks.Sweep(ctx, i) }

// Plug implements Nets.
func (r *Real) Plug(ctx context.Context, i id.Instance, w wire.Instance) error {
	return r.net.Plug(ctx, i, w)
}

// Unplug implements Nets.
func (r *Real) Unplug(ctx context.Context, i id.Instance, w wire.Instance) error {
	return r.net.Unplug(ctx, i, w)
}

// Start implements Machines.
func (r *Real) Start(ctx context.Context, i id.Instance, w wire.Instance) error {
	p, err := r.disks.Paths(i)
	if err != nil {
		return err
	}
	if _, has, err := r.disks.Has(i); err != nil || !has {
		return fault.New(fault.Conflict, "IncorrectInstanceState", "%s has no disk.", i).Because(err)
	}
	format := image.Format(w.Image.Format)
	if format != image.Raw && format != image.QCOW2 {
		return fault.New(fault.Invalid, "InvalidManifest", "The image of %s is of format %q.", i, w.Image.Format)
	}
	m := hypervisor.Machine{ID: i, VCPUs: w.VCPUs, MemoryMiB: w.MemoryMiB, Disk: p.Disk, Base: p.Base, BaseForm: string(format), Console: p.Console}
	if m.UID, m.GID, err = r.disks.User(i); err != nil {
		return err
	}
	for _, n := range w.Interfaces {
		m.NICs = append(m.NICs, hypervisor.NIC{Tap: r.net.Tap(n.ID), MAC: n.MAC})
	}
	return r.hv.Start(ctx, m)
}

// Resume implements Machines.
func (r *Real) Resume(ctx context.Context, i id.Instance) error { return r.hv.Resume(ctx, i) }

// Shutdown implements Machines.
func (r *Real) Shutdown(ctx context.Context, i id.Instance) error { return r.hv.Shutdown(ctx, i) }

// Reboot implements Machines.
func (r *Real) Reboot(ctx context.Context, i id.Instance) error { return r.hv.Reboot(ctx, i) }

// Reset implements Machines.
func (r *Real) Reset(ctx context.Context, i id.Instance) error { return r.hv.Reset(ctx, i) }

// Destroy implements Machines.
func (r *Real) Destroy(ctx context.Context, i id.Instance) error { return r.hv.Destroy(ctx, i) }

// Forget implements Machines.
func (r *Real) Forget(ctx context.Context, i id.Instance) error { return r.hv.Forget(ctx, i) }

// Attach implements Volumes.
func (r *Real) Attach(ctx context.Context, i id.Instance, v id.Volume, a wire.Attachment) error {
	if a.Address == "" || a.Export == "" {
		return fault.New(fault.Later, "VolumeNotServed", "%s is not served yet.", v)
	}
	return r.hv.Attach(ctx, i, hypervisor.Export{Volume: v, Epoch: a.Epoch, Device: a.Device, Address: a.Address, Name: a.Export})
}

// Detach implements Volumes.
func (r *Real) Detach(ctx context.Context, i id.Instance, v id.Volume) error {
	return r.hv.Detach(ctx, i, v)
}

// Console returns the end of what an instance wrote to its serial port.
func (r *Real) Console(_ context.Context, i id.Instance) ([]byte, error) {
	b, err := r.disks.Console(i)
	if err != nil {
		return nil, fmt.Errorf("console of %s: %w", i, err)
	}
	return b, nil
}
