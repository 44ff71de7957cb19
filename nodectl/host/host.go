// Package host is the machine that instances run on, as their keeper sees it:
// one place to look, and one small change per method.
//
// Every method may be called twice and may die in its middle; what was done is
// read back from the world (files, taps, libvirt) and never remembered. The
// parts come in the order in which they are made:
//
//	disk      a file over the shared image
//	machine   a domain of libvirt that is started paused; its taps appear with it
//	network   the taps moved into their routers, rules loaded first
//	volumes   disks of blockstore, plugged into the paused or running machine
//	resume    only now does the guest run
//
// Real joins nodectl/disk, nodectl/hypervisor and nodectl/network; hosttest has
// a fake that is as strict, and the suite that both pass.
package host

import (
	"context"

	"karri/shared/id"
	"karri/shared/wire"
)

// A Host is one machine with room for instances.
type Host interface {
	// Instances lists each instance of this cloud of which there is anything
	// here, ordered or not.
	Instances(ctx context.Context) ([]id.Instance, error)
	// Seen returns what there is of an instance. w is its order; the zero
	// Instance will do where there is none.
	Seen(ctx context.Context, i id.Instance, w wire.Instance) (Seen, error)
	// Boot names the present boot of the machine; it changes when it reboots.
	Boot() string

	Disks
	Nets
	Machines
	Volumes
}

// Disks are the instances' own disks.
type Disks interface {
	MakeDisk(ctx context.Context, i id.Instance, w wire.Instance) error
	RemoveDisk(ctx context.Context, i id.Instance) error
	// Sweep removes what is kept of an instance beyond its end: the console.
	Sweep(ctx context.Context, i id.Instance) error
}

// Nets are the instances' places in their networks.
type Nets interface {
	Plug(ctx context.Context, i id.Instance, w wire.Instance) error
	Unplug(ctx context.Context, i id.Instance, w wire.Instance) error
}

// Machines are the domains of libvirt.
type Machines interface {
	// Start makes the machine and leaves it paused before its first instruction.
	Start(ctx context.Context, i id.Instance, w wire.Instance) error
	// Resume lets a paused machine run, also one that stands after an I/O error.
	Resume(ctx context.Context, i id.Instance) error
	// Shutdown presses the power button and does not wait.
	Shutdown(ctx context.Context, i id.Instance) error
	// Reboot asks the guest to reboot and does not wait; Seen.Resets tells that
	// it did.
	Reboot(ctx context.Context, i id.Instance) error
	// Reset restarts the machine without asking the guest.
	Reset(ctx context.Context, i id.Instance) error
	// Destroy switches the machine off; nothing happens if it is off.
	Destroy(ctx context.Context, i id.Instance) error
	// Forget removes the definition of a machine that is off.
	Forget(ctx context.Context, i id.Instance) error
}

// Volumes are the disks that are served by blockstore.
type Volumes interface {
	// Attach plugs the export a into a machine that is paused or running.
	Attach(ctx context.Context, i id.Instance, v id.Volume, a wire.Attachment) error
	// Detach asks the guest to let go and does not wait.
	Detach(ctx context.Context, i id.Instance, v id.Volume) error
}

// Seen is what a host has of an instance.
type Seen struct {
	Kept    bool // there is anything of it, if only its console
	Disk    bool
	Net     bool // all its taps stand in their routers, behind their rules
	Machine Machine
	Off     Off    // why, when Machine is Down
	Resets  uint64 // how often the machine was seen to reboot since nodectl watches
	Volumes map[id.Volume]wire.VolumePlugged
}

// Machine is the state of a domain.
type Machine string

const (
	Absent  Machine = ""        // not even defined
	Down    Machine = "down"    // defined, switched off
	Paused  Machine = "paused"  // made, not let run yet
	Running Machine = "running" // the guest runs
	Halted  Machine = "halted"  // it stands since an I/O error of one of its disks
)

// On reports whether there is a process that runs the machine.
func (m Machine) On() bool { return m == Paused || m == Running || m == Halted }

// Off is why a machine is off.
type Off string

const (
	OffUnknown Off = "unknown" // libvirt was restarted since
	OffByGuest Off = "guest"   // the guest powered itself off
	OffByForce Off = "force"   // it was destroyed
	OffByCrash Off = "crash"   // QEMU ended by itself, or never began
)

// A Network gives the instances of this host their places in their VPCs.
// nodectl/network is the real one.
type Network interface {
	// Tap names the host's end of an interface. The hypervisor makes a tap of
	// that name, in nodectl's own network namespace, when it starts the machine.
	// The name depends on the interface and the cloud alone.
	Tap(i id.Interface) string
	// Plug moves the taps of a paused machine into their routers and returns
	// when their addresses, routes and rules are in force; rules first.
	Plug(ctx context.Context, i id.Instance, w wire.Instance) error
	// Plugged reports whether Plug is done and still stands.
	Plugged(ctx context.Context, i id.Instance, w wire.Instance) (bool, error)
	// Unplug removes what Plug made, with or without taps (they end with the
	// machine).
	Unplug(ctx context.Context, i id.Instance, w wire.Instance) error
	// Sync brings routers, tunnels, names and rules to what the whole list of
	// orders wants and returns the generation that is in force: gen, or the
	// earlier one when a part could not be loaded.
	Sync(ctx context.Context, gen uint64, o wire.NodeOrders) (uint64, error)
}
