package keep

import (
	"context"
	"fmt"
	"sync"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

// zone is a clusterctl with one node and a blockstore, as strict as the real
// ones: what must never happen is noted as a wrong.
type zone struct {
	mu     sync.Mutex
	fuse   *lifetest.Fuse
	wrongs []string

	clusterGen, blockGen uint64
	cluster              wire.ClusterOrders
	block                wire.BlockOrders
	machines             map[id.Instance]*machine
	ended                map[id.Instance]bool
	volumes              map[id.Volume]bool
	exports              map[id.Volume]wire.ExportSeen
	snapshots            map[id.Snapshot]bool
	broken               map[id.Instance]string // cannot be started, and why
	refused              map[id.Instance]map[string]string
	version              uint64
}

type machine struct {
	on      bool
	ended   string // it went off by itself
	launch  string
	volumes map[id.Volume]wire.VolumePlugged
}

const node = "n1"

func newZone(f *lifetest.Fuse) *zone {
	return &zone{
		fuse: f, machines: map[id.Instance]*machine{}, ended: map[id.Instance]bool{}, volumes: map[id.Volume]bool{},
		exports: map[id.Volume]wire.ExportSeen{}, snapshots: map[id.Snapshot]bool{}, broken: map[id.Instance]string{},
		refused: map[id.Instance]map[string]string{},
	}
}

func (z *zone) wrong(format string, args ...any) {
	z.wrongs = append(z.wrongs, fmt.Sprintf(format, args...))
}

func old(gen, have uint64) error {
	return fault.New(fault.Conflict, "OldGeneration", "Generation %d is older than %d.", gen, have)
}

// clusterPeer is the clusterctl of a zone, blockPeer its blockstore.
type clusterPeer struct{ *zone }
type blockPeer struct{ *zone }

func (p clusterPeer) Tell(_ context.Context, gen uint64, o wire.ClusterOrders) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if gen < p.clusterGen {
		return old(gen, p.clusterGen)
	}
	p.fuse.Around(func() { p.clusterGen, p.cluster = gen, o })
	return nil
}

func (p blockPeer) Tell(_ context.Context, gen uint64, o wire.BlockOrders) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if gen < p.blockGen {
		return old(gen, p.blockGen)
	}
	p.fuse.Around(func() { p.blockGen, p.block = gen, o })
	return nil
}

func (p clusterPeer) Ask(context.Context, uint64) (wire.Seen[wire.ClusterReport], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
	r := wire.ClusterReport{
		Nodes:     map[string]wire.Node{node: {Name: node, State: wire.Ready, Total: wire.Capacity{VCPUs: 8, MemoryMiB: 8192, DiskGiB: 100}}},
		Instances: map[id.Instance]wire.InstanceSeen{},
	}
	for i, m := range p.machines {
		s := wire.InstanceSeen{State: wire.InstanceStopped, Node: node, Reason: m.ended, Volumes: map[id.Volume]wire.VolumePlugged{}}
		if m.on {
			s.State = wire.InstanceRunning
			for v, plugged := range m.volumes {
				s.Volumes[v] = plugged
			}
		}
		_, ordered := p.cluster.Instances[i]
		s.Stray = !ordered
		r.Instances[i] = s
	}
	for i, w := range p.cluster.Instances {
		if _, there := r.Instances[i]; there {
			continue
		}
		s := wire.InstanceSeen{State: wire.InstancePending, Refused: p.refused[i]}
		switch {
		case w.Want == wire.Gone:
			s.State = wire.InstanceGone
		case p.broken[i] != "":
			s.State, s.Reason, s.Node = wire.InstanceBroken, p.broken[i], node
		}
		r.Instances[i] = s
	}
	return wire.Seen[wire.ClusterReport]{Version: p.version, Accepted: p.clusterGen, Report: r}, nil
}

func (p blockPeer) Ask(context.Context, uint64) (wire.Seen[wire.BlockReport], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
	r := wire.BlockReport{Volumes: map[id.Volume]wire.VolumeSeen{}, Exports: map[id.Volume]wire.ExportSeen{}, Snapshots: map[id.Snapshot]wire.SnapshotSeen{}}
	for v, w := range p.block.Volumes {
		s := wire.VolumeSeen{State: wire.BlockPending}
		if p.volumes[v] {
			s.State = wire.BlockReady
		} else if w.Want == wire.Gone {
			s.State = wire.BlockGone
		}
		r.Volumes[v] = s
	}
	for v, e := range p.exports {
		r.Exports[v] = e
	}
	for s, w := range p.block.Snapshots {
		seen := wire.SnapshotSeen{State: wire.BlockPending, Percent: 50}
		if p.snapshots[s] {
			seen = wire.SnapshotSeen{State: wire.BlockReady, Percent: 100}
		} else if w.Want == wire.Gone {
			seen.State = wire.BlockGone
		}
		r.Snapshots[s] = seen
	}
	return wire.Seen[wire.BlockReport]{Version: p.version, Accepted: p.blockGen, Report: r}, nil
}

// work does what is ordered, each thing as the real tiers would.
func (z *zone) work() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.workBlock()
	for i, w := range z.cluster.Instances {
		m := z.machines[i]
		switch {
		case w.Want == wire.Gone:
			delete(z.machines, i)
			z.ended[i] = true
			continue
		case z.ended[i]:
			z.wrong("instance %s was gone and is wished %s again", i, w.Want)
			continue
		case z.broken[i] != "" || z.refused[i] != nil:
			continue
		case m == nil:
			m = &machine{volumes: map[id.Volume]wire.VolumePlugged{}}
			z.machines[i] = m
		}
		launch := w.Launched.String()
		switch {
		case w.Want == wire.Stopped:
			m.on, m.ended = false, ""
		case m.ended == "" || m.launch != launch:
			m.on, m.ended, m.launch = true, "", launch
		}
		if m.on {
			z.plug(m, w)
		}
	}
}

func (z *zone) plug(m *machine, w wire.Instance) {
	for v, a := range w.Volumes {
		e, served := z.exports[v]
		_, has := m.volumes[v]
		switch {
		case a.Want == wire.Detached:
			delete(m.volumes, v)
		case !has && served && e.Epoch == a.Epoch && e.Node == node && e.Address == a.Address && e.Name == a.Export:
			m.volumes[v] = wire.VolumePlugged{Epoch: a.Epoch, Device: a.Device}
		}
	}
}

func (z *zone) workBlock() {
	for v, w := range z.block.Volumes {
		switch e, served := z.exports[v]; {
		case w.Want == wire.Present && !z.volumes[v]:
			z.volumes[v] = true
		case w.Want == wire.Gone && z.volumes[v] && served:
			z.wrong("volume %s is to go while epoch %d of it is served", v, e.Epoch)
		case w.Want == wire.Gone:
			delete(z.volumes, v)
		}
	}
	for v, e := range z.exports {
		if w, named := z.block.Exports[v]; named && w.Epoch == e.Epoch {
			continue
		}
		for i, m := range z.machines {
			if p, has := m.volumes[v]; has && m.on && p.Epoch == e.Epoch {
				z.wrong("epoch %d of volume %s ended while %s has it", e.Epoch, v, i)
			}
		}
		delete(z.exports, v)
	}
	for v, w := range z.block.Exports {
		if z.volumes[v] {
			z.exports[v] = wire.ExportSeen{Node: w.Node, Epoch: w.Epoch, Address: "10.0.0.1:10809", Name: fmt.Sprintf("%s/%d", v, w.Epoch)}
		}
	}
	for s, w := range z.block.Snapshots {
		if w.Want == wire.Present {
			z.snapshots[s] = true
		} else {
			delete(z.snapshots, s)
		}
	}
}
