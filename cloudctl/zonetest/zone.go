// Package zonetest has a zone that exists in memory only, for tests of cloudctl:
// a clusterctl with one node, and a blockstore. It is as strict as the real ones:
// it refuses old generations, plugs in only what is served under the right
// epoch, and notes what must never happen, a disk that goes while a guest has
// it or an instance that comes back after its end, as a wrong. Its changes pass
// a fuse, so that a teller can be crashed at each.
package zonetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

// Zone is the world of a zone. Its fields may be read and changed while nobody
// tells or asks, or within Locked.
type Zone struct {
	mu     sync.Mutex
	Fuse   *lifetest.Fuse
	Now    func() time.Time // when the node was last heard; nil: time.Now
	Silent time.Time        // not zero: the node was last heard then, and is thought well all the same
	Wrongs []string         // what must never happen, and did

	ClusterGen, BlockGen uint64 // the highest generations that were accepted
	ClusterOrders        wire.ClusterOrders
	BlockOrders          wire.BlockOrders
	Machines             map[id.Instance]*Machine
	Ended                map[id.Instance]bool // had their end and may not come back
	Volumes              map[id.Volume]bool
	Exports              map[id.Volume]wire.ExportSeen
	Snapshots            map[id.Snapshot]bool
	Broken               map[id.Instance]string            // cannot be started, and why
	Lost                 map[id.Instance]bool              // of those, the ones whose node was forgotten
	Refused              map[id.Instance]map[string]string // no node takes them, and why
	version              uint64
}

// Machine is an instance on the node.
type Machine struct {
	On       bool
	Off      string // not empty: it went off by itself, and why
	Volumes  map[id.Volume]wire.VolumePlugged
	launch   string
	launched time.Time
}

// Node is the name of the only node.
const Node = "n1"

// New returns an empty zone whose changes pass f.
func New(f *lifetest.Fuse) *Zone {
	return &Zone{
		Fuse: f, Machines: map[id.Instance]*Machine{}, Ended: map[id.Instance]bool{}, Volumes: map[id.Volume]bool{},
		Exports: map[id.Volume]wire.ExportSeen{}, Snapshots: map[id.Snapshot]bool{}, Broken: map[id.Instance]string{}, Lost: map[id.Instance]bool{},
		Refused: map[id.Instance]map[string]string{},
	}
}

func (z *Zone) wrong(format string, args ...any) {
	z.Wrongs = append(z.Wrongs, fmt.Sprintf(format, args...))
}

func old(gen, have uint64) error {
	return fault.New(fault.Conflict, "OldGeneration", "Generation %d is older than %d.", gen, have)
}

func (z *Zone) heard() time.Time {
	switch {
	case !z.Silent.IsZero():
		return z.Silent
	case z.Now != nil:
		return z.Now()
	}
	return time.Now()
}

// Locked runs do while nothing changes.
func (z *Zone) Locked(do func()) {
	z.mu.Lock()
	defer z.mu.Unlock()
	do()
}

// Cluster is the clusterctl of a zone, as a wire.Peer.
type Cluster struct{ *Zone }

// Block is the blockstore of a zone, as a wire.Peer.
type Block struct{ *Zone }

// Tell implements wire.Peer.
func (p Cluster) Tell(_ context.Context, gen uint64, o wire.ClusterOrders) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if gen < p.ClusterGen {
		return old(gen, p.ClusterGen)
	}
	p.Fuse.Around(func() { p.ClusterGen, p.ClusterOrders = gen, o })
	return nil
}

// Tell implements wire.Peer.
func (p Block) Tell(_ context.Context, gen uint64, o wire.BlockOrders) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if gen < p.BlockGen {
		return old(gen, p.BlockGen)
	}
	p.Fuse.Around(func() { p.BlockGen, p.BlockOrders = gen, o })
	return nil
}

// Ask implements wire.Peer.
func (p Cluster) Ask(context.Context, uint64) (wire.Seen[wire.ClusterReport], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
	r := wire.ClusterReport{
		Nodes:     map[string]wire.Node{Node: {Name: Node, State: wire.Ready, Seen: p.heard(), Total: wire.Capacity{VCPUs: 8, MemoryMiB: 8192, DiskGiB: 100}}},
		Instances: map[id.Instance]wire.InstanceSeen{},
	}
	for i, m := range p.Machines {
		s := wire.InstanceSeen{State: wire.InstanceStopped, Node: Node, Reason: m.Off, Launched: m.launched, Volumes: map[id.Volume]wire.VolumePlugged{}}
		if m.On {
			s.State = wire.InstanceRunning
			for v, plugged := range m.Volumes {
				s.Volumes[v] = plugged
			}
		}
		_, ordered := p.ClusterOrders.Instances[i]
		s.Stray = !ordered
		r.Instances[i] = s
	}
	for i, w := range p.ClusterOrders.Instances {
		if _, there := r.Instances[i]; there {
			continue
		}
		s := wire.InstanceSeen{State: wire.InstancePending, Refused: p.Refused[i]}
		switch {
		case w.Want == wire.Gone:
			s.State = wire.InstanceGone
		case p.Broken[i] != "":
			s.State, s.Reason, s.Node = wire.InstanceBroken, p.Broken[i], Node
			s.Lost = p.Lost[i]
		}
		r.Instances[i] = s
	}
	return wire.Seen[wire.ClusterReport]{Version: p.version, Accepted: p.ClusterGen, Report: r}, nil
}

// Ask implements wire.Peer.
func (p Block) Ask(context.Context, uint64) (wire.Seen[wire.BlockReport], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
	r := wire.BlockReport{Volumes: map[id.Volume]wire.VolumeSeen{}, Exports: map[id.Volume]wire.ExportSeen{}, Snapshots: map[id.Snapshot]wire.SnapshotSeen{}}
	for v, w := range p.BlockOrders.Volumes {
		s := wire.VolumeSeen{State: wire.BlockPending}
		if p.Volumes[v] {
			s.State = wire.BlockReady
		} else if w.Want == wire.Gone {
			s.State = wire.BlockGone
		}
		r.Volumes[v] = s
	}
	for v, e := range p.Exports {
		r.Exports[v] = e
	}
	for s, w := range p.BlockOrders.Snapshots {
		seen := wire.SnapshotSeen{State: wire.BlockPending, Percent: 50}
		if p.Snapshots[s] {
			seen = wire.SnapshotSeen{State: wire.BlockReady, Percent: 100}
		} else if w.Want == wire.Gone {
			seen.State = wire.BlockGone
		}
		r.Snapshots[s] = seen
	}
	return wire.Seen[wire.BlockReport]{Version: p.version, Accepted: p.BlockGen, Report: r}, nil
}

// Work does what is ordered, each thing as the real tiers would.
func (z *Zone) Work() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.workBlock()
	for i, w := range z.ClusterOrders.Instances {
		m := z.Machines[i]
		switch {
		case w.Want == wire.Gone:
			delete(z.Machines, i)
			z.Ended[i] = true
			continue
		case z.Ended[i]:
			z.wrong("instance %s was gone and is wished %s again", i, w.Want)
			continue
		case z.Broken[i] != "" || z.Refused[i] != nil:
			continue
		case m == nil:
			m = &Machine{Volumes: map[id.Volume]wire.VolumePlugged{}}
			z.Machines[i] = m
		}
		launch := w.Launched.String()
		switch {
		case w.Want == wire.Stopped:
			m.On, m.Off = false, ""
		case m.Off == "" || m.launch != launch:
			m.On, m.Off, m.launch, m.launched = true, "", launch, w.Launched
		}
		if m.On {
			z.plug(m, w)
		}
	}
}

func (z *Zone) plug(m *Machine, w wire.Instance) {
	for v, a := range w.Volumes {
		e, served := z.Exports[v]
		_, has := m.Volumes[v]
		switch {
		case a.Want == wire.Detached:
			delete(m.Volumes, v)
		case !has && served && e.Epoch == a.Epoch && e.Node == Node && e.Address == a.Address && e.Name == a.Export:
			m.Volumes[v] = wire.VolumePlugged{Epoch: a.Epoch, Device: a.Device}
		}
	}
}

func (z *Zone) workBlock() {
	for v, e := range z.Exports {
		if w, named := z.BlockOrders.Exports[v]; named && w.Epoch == e.Epoch {
			continue
		}
		for i, m := range z.Machines {
			if p, has := m.Volumes[v]; has && m.On && p.Epoch == e.Epoch {
				z.wrong("epoch %d of volume %s ended while %s has it", e.Epoch, v, i)
			}
		}
		delete(z.Exports, v)
	}
	for v, w := range z.BlockOrders.Volumes {
		switch e, served := z.Exports[v]; {
		case w.Want == wire.Present && !z.Volumes[v]:
			z.Volumes[v] = true
		case w.Want == wire.Gone && z.Volumes[v] && served:
			z.wrong("volume %s is to go while epoch %d of it is served", v, e.Epoch)
		case w.Want == wire.Gone:
			delete(z.Volumes, v)
		}
	}
	for v, w := range z.BlockOrders.Exports {
		if z.Volumes[v] {
			z.Exports[v] = wire.ExportSeen{Node: w.Node, Epoch: w.Epoch, Address: "10.0.0.1:10809", Name: fmt.Sprintf("%s/%d", v, w.Epoch)}
		}
	}
	for s, w := range z.BlockOrders.Snapshots {
		if w.Want == wire.Present {
			z.Snapshots[s] = true
		} else {
			delete(z.Snapshots, s)
		}
	}
}
