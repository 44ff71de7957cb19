package pretend

import (
	"context"
	"fmt"
	"sync"

	"karri/nodectl/host/hosttest"
	"karri/nodectl/keep"
	"karri/shared/id"
	"karri/shared/wire"
)

// Host is a host in memory with the notes that a real one keeps on its disk.
type Host struct {
	*hosttest.Fake

	mu    sync.Mutex
	notes map[id.Instance]keep.Note
}

// NewHost returns an empty host.
func NewHost() *Host {
	return &Host{Fake: hosttest.NewFake(), notes: map[id.Instance]keep.Note{}}
}

// Read implements keep.Notes.
func (h *Host) Read(i id.Instance) (keep.Note, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.notes[i], nil
}

// Write implements keep.Notes, with a chance to crash before and after.
func (h *Host) Write(i id.Instance, n keep.Note) error {
	h.Fuse.Around(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.notes[i] = n
	})
	return nil
}

// Sweep implements host.Host: a note goes with what it is about.
func (h *Host) Sweep(ctx context.Context, i id.Instance) error {
	err := h.Fake.Sweep(ctx, i)
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.notes, i)
	}
	return err
}

// Left says in words what there is of instances, consoles of ended ones left out.
func (h *Host) Left(ctx context.Context) (left []string, err error) {
	all, err := h.Instances(ctx)
	for _, i := range all {
		s, seen := h.Seen(ctx, i, wire.Instance{})
		if err = seen; err != nil {
			return nil, err
		}
		if s.Disk || s.Net || s.Machine != "" || len(s.Volumes) > 0 {
			left = append(left, fmt.Sprintf("%s: disk %t, network %t, machine %q, volumes %v", i, s.Disk, s.Net, s.Machine, s.Volumes))
		}
	}
	return left, err
}
