package keep

import (
	"context"
	"fmt"
	"time"

	"karri/clusterctl/store"
	"karri/shared/id"
	"karri/shared/wire"
)

// publishLoop shows what is seen: soon after a change, and every few seconds,
// since silence shows only with time.
func (k *Keeper) publishLoop(ctx context.Context) {
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		if err := k.Publish(ctx); err != nil && ctx.Err() == nil {
			k.Log.Error("cannot publish the report", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-k.show:
		case <-ticker.C:
		}
	}
}

// Publish puts what is seen of the zone on the board.
func (k *Keeper) Publish(ctx context.Context) error {
	s, err := k.snapshot(ctx)
	if err != nil {
		return err
	}
	ns, ps, o, gen := s.nodes, s.placements, s.zone.orders, s.gen
	k.mu.Lock()
	r := wire.ClusterReport{Nodes: map[string]wire.Node{}, Instances: map[id.Instance]wire.InstanceSeen{}, Groups: map[id.Group]wire.GroupSeen{}}
	now := k.Now()
	for _, n := range ns {
		r.Nodes[n.Name] = k.nodeSeen(n, ps, now)
	}
	k.instancesSeen(&r, ns, ps, o)
	k.groupsSeen(&r, ns, ps, o, gen)
	k.mu.Unlock()
	if err := k.revoked(ctx, &r); err != nil {
		return err
	}
	_, err = k.Board.Publish(r)
	return err
}

// revoked says which certificates of nodes are not to be believed any more. The
// list is the same, to the byte, until another is revoked.
func (k *Keeper) revoked(ctx context.Context, r *wire.ClusterReport) error {
	gone, err := k.Store.Revoked(ctx)
	if err != nil || len(gone.Serials) == 0 {
		return err
	}
	list, err := k.Self().Revoke(gone.Number, gone.At, gone.Serials)
	if err != nil {
		return fmt.Errorf("list what is revoked: %w", err)
	}
	r.Authority = map[string]wire.Authority{k.Zone: {Revoked: string(list)}}
	return nil
}

func (k *Keeper) nodeSeen(n store.Node, ps []store.Placement, now time.Time) wire.Node {
	v := k.view(n)
	h := v.host()
	seen := wire.Node{Name: n.Name, Seen: v.heard.UTC(), Address: n.Address, Accelerator: h.Accelerator, Version: h.Version, Total: h.Total}
	seen.State, seen.Trouble = v.state(now)
	for _, p := range ps {
		if p.NodeID == n.ID {
			room := takes(p)
			seen.Used.VCPUs += room.VCPUs
			seen.Used.MemoryMiB += room.MemoryMiB
			seen.Used.DiskGiB += room.DiskGiB
			continue
		}
		if s, ok := v.seen.Report.Instances[p.Instance]; ok && s.State != wire.InstanceGone {
			seen.Trouble = fmt.Sprintf("it has something of %s, which is placed on %s", p.Instance, p.Node)
		}
	}
	return seen
}

// instancesSeen joins what the nodes say with what only we know.
func (k *Keeper) instancesSeen(r *wire.ClusterReport, ns []store.Node, ps []store.Placement, o wire.ClusterOrders) {
	for _, n := range ns { // what nobody ordered
		for i, s := range k.view(n).seen.Report.Instances {
			if _, ordered := o.Instances[i]; !ordered && s.State != wire.InstanceGone {
				s.Stray, s.Node = true, n.Name
				r.Instances[i] = s
			}
		}
	}
	place := map[id.Instance]store.Placement{}
	for _, p := range ps {
		place[p.Instance] = p
	}
	for i, w := range o.Instances {
		p, placed := place[i]
		if !placed {
			r.Instances[i] = k.unplacedSeen(i, w)
			continue
		}
		r.Instances[i] = k.placedSeen(ns, p, w)
	}
}

func (k *Keeper) unplacedSeen(i id.Instance, w wire.Instance) wire.InstanceSeen {
	s := wire.InstanceSeen{State: wire.InstancePending, Refused: k.refused[i]}
	s.Flow, _ = k.instances.Status(string(i))
	s.Flow.Looked = time.Time{} // it changes with every look and is no news
	switch w.Want {
	case wire.Gone:
		s = wire.InstanceSeen{State: wire.InstanceGone}
	case wire.Stopped:
		s.State = wire.InstanceStopped
	}
	return s
}

func (k *Keeper) placedSeen(ns []store.Node, p store.Placement, w wire.Instance) wire.InstanceSeen {
	for _, n := range ns {
		if n.ID != p.NodeID {
			continue
		}
		s, ok := k.view(n).seen.Report.Instances[p.Instance]
		if !ok {
			s = wire.InstanceSeen{State: wire.InstancePending}
			if p.State != "" { // its node has not answered since our start
				s.State = wire.InstanceState(p.State)
			}
		}
		s.Node, s.Stray = n.Name, false
		return s
	}
	if w.Want == wire.Gone {
		return wire.InstanceSeen{State: wire.InstanceGone, Node: p.Node}
	}
	return wire.InstanceSeen{State: wire.InstanceBroken, Node: p.Node, Lost: true, Reason: "Server.InternalError: the host was lost"}
}

// groupsSeen tells for each group which generation of the orders is in force
// on every node that has a member of it.
func (k *Keeper) groupsSeen(r *wire.ClusterReport, ns []store.Node, ps []store.Placement, o wire.ClusterOrders, gen uint64) {
	applied, at := map[string]uint64{}, map[id.Instance]string{}
	names := map[int]string{}
	for _, n := range ns {
		applied[n.Name], names[n.ID] = k.view(n).applied(), n.Name
	}
	for _, p := range ps {
		at[p.Instance] = names[p.NodeID]
	}
	for g := range o.Groups {
		r.Groups[g] = wire.GroupSeen{Applied: gen}
	}
	for i, w := range o.Instances {
		node := at[i]
		if node == "" || w.Want == wire.Gone {
			continue
		}
		for _, e := range w.Interfaces {
			for _, g := range e.Groups {
				if s, ok := r.Groups[g]; ok && applied[node] < s.Applied {
					r.Groups[g] = wire.GroupSeen{Applied: applied[node]}
				}
			}
		}
	}
}

// applied returns the generation of the cluster's orders whose packet rules
// are in force on the node, 0 when that is not known.
func (v *view) applied() uint64 {
	var cluster uint64
	for _, c := range v.covers {
		if c.node <= v.host().Rules {
			cluster = c.cluster
		}
	}
	return cluster
}
