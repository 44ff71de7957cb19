// Package exporttest has an exporter in memory, and the suite that it and the
// real one pass.
package exporttest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"karri/blockstore/export"
	"karri/blockstore/volume"
	"karri/blockstore/volume/volumetest"
	"karri/shared/id"
	"karri/shared/life/lifetest"
)

// Fake is the Exporter in memory, over the volumes of an engine in memory. Its
// servers outlive a crash of who uses it. It passes Fuse around each change.
type Fake struct {
	Fuse *lifetest.Fuse
	Disk *volumetest.Fake

	mu      sync.Mutex
	servers map[id.Volume]*server
	highest map[id.Volume]uint64
	wrongs  []string
}

type server struct {
	export.Ticket
	top int // the layer that it writes to
}

var _ export.Exporter = (*Fake)(nil)

// New returns a Fake that serves nothing.
func New(disk *volumetest.Fake) *Fake {
	return &Fake{Disk: disk, servers: map[id.Volume]*server{}, highest: map[id.Volume]uint64{}}
}

// Wrongs lists what must never happen and did: an epoch served after a higher one.
func (f *Fake) Wrongs() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wrongs
}

// Volumes implements export.Exporter.
func (f *Fake) Volumes(context.Context) ([]id.Volume, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.servers)), nil
}

// Served implements export.Exporter.
func (f *Fake) Served(_ context.Context, v id.Volume) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.servers[v]; s != nil {
		return s.Epoch, nil
	}
	return 0, nil
}

// Ticket returns the ticket that is served of a volume; zero: none.
func (f *Fake) Ticket(v id.Volume) export.Ticket {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.servers[v]; s != nil {
		return s.Ticket
	}
	return export.Ticket{}
}

// Serve implements export.Exporter.
func (f *Fake) Serve(_ context.Context, t export.Ticket, layers []volume.Layer) error {
	f.Fuse.Pass()
	defer f.Fuse.Pass()
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.servers[t.Volume]; s != nil {
		if s.Ticket == t {
			return nil
		}
		return export.Busy
	}
	if len(layers) == 0 {
		return volume.Missing
	}
	for v, s := range f.servers {
		if s.Port == t.Port {
			return fmt.Errorf("port %d is used for %s", t.Port, v)
		}
	}
	if err := f.Disk.Hold(t.Volume, true); err != nil {
		return err
	}
	if t.Epoch < f.highest[t.Volume] {
		f.wrongs = append(f.wrongs, fmt.Sprintf("%s was served after epoch %d", t.Name(), f.highest[t.Volume]))
	}
	f.highest[t.Volume] = max(t.Epoch, f.highest[t.Volume])
	f.servers[t.Volume] = &server{t, layers[len(layers)-1].Number}
	return nil
}

// End implements export.Exporter.
func (f *Fake) End(_ context.Context, v id.Volume) error {
	f.Fuse.Pass()
	defer f.Fuse.Pass()
	return f.Kill(v)
}

// Kill ends a volume's server as kill -9 does.
func (f *Fake) Kill(v id.Volume) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.servers[v] == nil {
		return nil
	}
	delete(f.servers, v)
	return f.Disk.Hold(v, false)
}

// Push implements export.Exporter.
func (f *Fake) Push(_ context.Context, v id.Volume, layers []volume.Layer) error {
	f.Fuse.Pass()
	defer f.Fuse.Pass()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.servers[v]
	if s == nil {
		return export.NotServed
	}
	s.top = layers[len(layers)-1].Number
	return nil
}

// Merge implements export.Exporter.
func (f *Fake) Merge(_ context.Context, v id.Volume, _ []volume.Layer, layer int) error {
	f.mu.Lock()
	s := f.servers[v]
	f.mu.Unlock()
	switch {
	case s == nil:
		return export.NotServed
	case s.top <= layer:
		return fmt.Errorf("volume %s: layer %d takes the writes", v, layer)
	}
	return f.Disk.Fold(v, layer)
}

// FreePort implements export.Exporter.
func (f *Fake) FreePort(taken map[int]bool) (int, error) {
	for port := 1; port < 100; port++ {
		if !taken[port] {
			return port, nil
		}
	}
	return 0, export.NoPort
}

// Write writes whole blocks as the guest of the node that has the volume.
func (f *Fake) Write(v id.Volume, off int64, p []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.servers[v]
	if s == nil {
		return export.NotServed
	}
	return f.Disk.Write(v, s.top, off, p)
}
