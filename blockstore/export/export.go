// Package export serves volumes to nodes: one QEMU storage daemon for each
// attachment of a volume, NBD over TLS 1.3.
//
// A daemon belongs to one ticket: one volume, one epoch, one node. Its TLS
// admits that node's certificate and no other, so when an epoch ends its
// process ends, and with it every way to write that the node had. That is the
// fence: End returns when the process is gone, and only then may a higher epoch
// be served.
//
// The daemons outlive blockstore. What is served is what runs: a process is
// known as ours by its command line, which names its folder, volume and epoch,
// so a blockstore that starts anew finds every daemon again, also one that was
// started in the moment of the crash and has not yet written its pid file.
// A daemon that died is started again for the same ticket on the same port;
// the guest's client connects again and repeats what was not answered.
//
// QEMU 7.2's storage daemon has no seccomp sandbox of its own; each runs as a user
// without rights who has nothing but the one volume.
package export

import (
	"context"
	"fmt"

	"karri/blockstore/volume"
	"karri/shared/fault"
	"karri/shared/id"
)

// A Ticket lets one node have a volume for one epoch.
type Ticket struct {
	Volume id.Volume
	Epoch  uint64
	Peer   string // the name in the node's certificate
	Port   int
	// Authority is the certificate, PEM, of who vouches for the zone's nodes, and
	// nobody else is believed. QEMU looks at a node's common name alone, which
	// the name constraint of another zone's authority does not bind. Empty: the
	// cloud's root.
	Authority string
}

// Name is the name of the export at its port.
func (t Ticket) Name() string { return fmt.Sprintf("%s/%d", t.Volume, t.Epoch) }

// An Exporter serves volumes. Every change may be asked for twice.
type Exporter interface {
	// Volumes lists those that may be served: every one that is, and remains.
	Volumes(ctx context.Context) ([]id.Volume, error)
	// Served returns the epoch that is served of a volume, by whomever it was
	// started; 0: none.
	Served(ctx context.Context, v id.Volume) (uint64, error)
	// Serve starts to serve a volume, whose layers these are. It is refused with
	// Busy while another epoch is served.
	Serve(ctx context.Context, t Ticket, layers []volume.Layer) error
	// End cuts off whoever has the volume and returns when it is done.
	End(ctx context.Context, v id.Volume) error
	// Push makes the writes of a served volume go to the highest of its layers.
	// When it returns, all that went to the layers below is on disk.
	Push(ctx context.Context, v id.Volume, layers []volume.Layer) error
	// Merge adds what a frozen layer of a served volume holds to the layer below
	// and lets go of it. A Push meanwhile ends it with Interrupted.
	Merge(ctx context.Context, v id.Volume, layers []volume.Layer, layer int) error
	// FreePort returns a port that is not in taken and can be listened on.
	FreePort(taken map[int]bool) (int, error)
}

// Faults of an Exporter.
var (
	Busy        = fault.New(fault.Later, "VolumeInUse", "The volume is served for another epoch.")
	NotServed   = fault.New(fault.Later, "IncorrectState", "The volume is not served.")
	Interrupted = fault.New(fault.Later, "Interrupted", "The merge was interrupted.")
	NoPort      = fault.New(fault.Full, "InsufficientPorts", "No port is left to serve volumes on.")
)
