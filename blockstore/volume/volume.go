// Package volume keeps the bytes of volumes: it makes, freezes, reads and
// removes them.
//
// A volume is a stack of layers, numbered upwards. The highest takes the
// writes; those below are frozen. To freeze a volume is to put an empty layer
// on top, which takes an instant whatever the volume's size. What a layer holds
// is what was written while it was the top: just the increment that a snapshot
// has to keep. Later the layers below the top are merged into the lowest.
//
// The stack is what is on the disk: there is no other list of it. Each change
// is made under another name first and then appears by one rename, so a crash
// leaves either the old stack or the new. Merging copies a layer into the one
// below it before it goes; done twice or half, the stack reads the same.
//
// Nothing here opens a file without saying its format, because a guest writes
// what it likes on its disk.
package volume

import (
	"context"
	"io"

	"karri/shared/fault"
	"karri/shared/id"
)

// An Engine keeps volumes. Every change may be asked for twice.
type Engine interface {
	// Volumes lists what is on the disk, whole volumes and remains alike.
	Volumes(ctx context.Context) ([]id.Volume, error)
	// Seen tells what is there of a volume; the zero Seen: nothing.
	Seen(ctx context.Context, v id.Volume) (Seen, error)
	// Create makes an empty volume, which reads as zeros.
	Create(ctx context.Context, v id.Volume, size int64) error
	// Draft opens the bytes of a volume that is being filled and does not exist
	// before Commit. What an earlier draft of the same size has is kept.
	Draft(ctx context.Context, v id.Volume, size int64) (Draft, error)
	// Freeze puts a layer on top of the given one, unless there is one already.
	Freeze(ctx context.Context, v id.Volume, layer int) error
	// Frozen opens the volume as it was when the layer was frozen. The layers up
	// to this one must not be merged while Open works; after it they may.
	Frozen(ctx context.Context, v id.Volume, layer int) (Frozen, error)
	// Merge adds what a frozen layer holds to the layer below and drops it. The
	// volume must not be served: who serves it merges, then calls Drop.
	Merge(ctx context.Context, v id.Volume, layer int) error
	// Drop removes a layer whose bytes are in the layer below.
	Drop(ctx context.Context, v id.Volume, layer int) error
	// Remove ends the volume and every remains of it.
	Remove(ctx context.Context, v id.Volume) error
}

// Seen is what is there of a volume.
type Seen struct {
	Size    int64   // in bytes
	Layers  []Layer // lowest first; none: the volume does not exist
	Remains bool    // a draft, or what a removal left
}

// Exists reports whether the volume can be served.
func (s Seen) Exists() bool { return len(s.Layers) > 0 }

// Top returns the number of the layer that takes the writes.
func (s Seen) Top() int { return s.Layers[len(s.Layers)-1].Number }

// Under returns the frozen layers numbered at most layer, without the lowest
// of all: those that can be merged into it, in the order to do so.
func (s Seen) Under(layer int) []Layer {
	var under []Layer
	for i, l := range s.Layers {
		if i > 0 && i < len(s.Layers)-1 && l.Number <= layer {
			under = append(under, l)
		}
	}
	return under
}

// A Layer is one file of a volume. Its format is raw only for the lowest layer
// of a volume that was filled from a snapshot, never for the top, because only
// qcow2 files are locked against a second writer.
type Layer struct {
	Number int
	Path   string
	Format string // qcow2 or raw
}

// A Draft is a volume being filled; pieces may come in any order, and again.
type Draft interface {
	io.WriterAt
	// Filled returns the n of the last Save: how far an earlier try had come.
	Filled() int
	// Save makes what was written so far outlive a crash, and then n.
	Save(n int) error
	// Commit makes it a volume. The bytes of the draft are layer 0, frozen.
	Commit(ctx context.Context) error
	io.Closer
}

// Frozen is a volume as it was at an instant.
type Frozen interface {
	io.ReaderAt
	Size() int64
	// Changed returns what may differ from the volume as it was when layer since
	// was frozen, in ascending order; since negative: all that may not be zero.
	Changed(since int) []Run
	io.Closer
}

// A Run is a part of a volume.
type Run struct{ Start, Length int64 }

// Missing is the fault of a volume or layer that does not exist.
var Missing = fault.New(fault.Missing, "InvalidVolume.NotFound", "The volume or the layer does not exist.")

// Served is the fault of a change that needs the volume for itself while
// somebody has it open.
var Served = fault.New(fault.Later, "VolumeInUse", "The volume is open elsewhere.")
