package keep

import (
	"context"
	"maps"
	"slices"

	"karri/clusterctl/choose"
	"karri/clusterctl/store"
	"karri/shared/crash"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// thing is an instance as its keeper here sees it.
type thing struct {
	id     id.Instance
	order  *wire.Instance   // nil: cloudctl does not name it (any more)
	place  *store.Placement // nil: it has no place
	lost   bool             // its node was forgotten
	on     []string         // nodes that report something of it
	frozen string           // why nothing may be placed now
	full   bool             // no node can take it now
}

// Instances is the loop that gives each instance its place and frees it.
func (k *Keeper) Instances() life.Kind[thing] {
	return life.Kind[thing]{
		Name: "instance",
		List: func(ctx context.Context) ([]string, error) {
			s, err := k.snapshot(ctx)
			if err != nil {
				return nil, err
			}
			ids := map[string]bool{}
			for _, p := range s.placements {
				ids[string(p.Instance)] = true
			}
			for i := range s.zone.orders.Instances {
				ids[string(i)] = true
			}
			return slices.Sorted(maps.Keys(ids)), nil
		},
		Look: k.lookInstance,
		Next: k.nextInstance,
	}
}

func (k *Keeper) lookInstance(ctx context.Context, name string) (thing, error) {
	t := thing{id: id.Instance(name)}
	snap, err := k.snapshot(ctx)
	if err != nil {
		return t, err
	}
	if p, ok := snap.place[t.id]; ok {
		t.place = &p
		_, there := snap.byID[p.NodeID]
		t.lost = !there
	}
	if w, ok := snap.zone.orders.Instances[t.id]; ok {
		t.order = &w
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range snap.nodes {
		v := k.view(n)
		if s, ok := v.seen.Report.Instances[t.id]; ok && s.State != wire.InstanceGone {
			t.on = append(t.on, n.Name)
		}
		if v.ahead() {
			t.frozen = "karri cluster adopt: node " + n.Name + " knows later orders than we do"
		}
	}
	if t.place == nil && t.order != nil && t.order.Want == wire.Running && len(t.on) == 0 {
		node, refused := k.choose(snap, snap.placements, *t.order)
		if t.full = node == ""; t.full && !maps.Equal(refused, k.refused[t.id]) {
			k.refused[t.id] = refused
			poke(k.show)
		}
	}
	return t, nil
}

// choose picks a node for w beside the others that are placed, "" when there
// is none, and tells why each refused one is. Call it with k.mu held.
func (k *Keeper) choose(snap *snapshot, others []store.Placement, w wire.Instance) (string, map[string]string) {
	last, used := "", map[int]choose.Size{}
	for _, p := range others {
		last = p.Node
		used[p.NodeID] = used[p.NodeID].Plus(takes(p))
	}
	var nodes []choose.Node
	for _, n := range snap.nodes {
		v := k.view(n)
		_, closed := v.state(k.Now())
		total := v.host().Total
		nodes = append(nodes, choose.Node{Name: n.Name, Closed: closed, Used: used[n.ID],
			Total: choose.Size{VCPUs: total.VCPUs, MemoryMiB: total.MemoryMiB, DiskGiB: total.DiskGiB}})
	}
	if len(nodes) == 0 {
		return "", map[string]string{"": "the zone has no nodes"}
	}
	return k.Policy(nodes, choose.Size{VCPUs: w.VCPUs, MemoryMiB: w.MemoryMiB, DiskGiB: w.DiskGiB}, last)
}

// takes returns the room that a placed instance takes on its node: none once
// nothing of it is left, though cloudctl names it for as long as it is listed.
func takes(p store.Placement) choose.Size {
	if p.State == string(wire.InstanceGone) {
		return choose.Size{}
	}
	return choose.Size{VCPUs: p.VCPUs, MemoryMiB: p.MemoryMiB, DiskGiB: p.DiskGiB}
}

// nextInstance is the whole life of a placement.
func (k *Keeper) nextInstance(t thing) *life.Step[thing] {
	switch {
	case t.order == nil && t.place == nil:
		return nil
	case t.order == nil && (t.lost || t.place.State == string(wire.InstanceGone)):
		return &life.Step[thing]{Name: "free its place", Do: k.unplace}
	case t.order == nil:
		return life.Wait[thing]("cloudctl to name it again, or to want it gone: it is left as it is")
	case t.place == nil && len(t.on) > 0:
		return &life.Step[thing]{Name: "keep it where it is", Do: k.placeWhereItIs}
	case t.place == nil && t.order.Want == wire.Running && t.frozen != "":
		return life.Wait[thing]("%s", t.frozen)
	case t.place == nil && t.order.Want == wire.Running && t.full:
		return life.Wait[thing]("room on a node")
	case t.place == nil && t.order.Want == wire.Running:
		return &life.Step[thing]{Name: "place", Do: k.place}
	case t.place != nil && t.lost && t.order.Want != wire.Gone:
		return life.Wait[thing]("its termination: its node %s was forgotten", t.place.Node)
	}
	return nil
}

func (k *Keeper) unplace(ctx context.Context, t thing) error {
	if err := k.Store.Unplace(ctx, t.id, k.Now()); err != nil {
		return err
	}
	crash.Here("keep.unplaced")
	k.moved(t.id, nil)
	k.instances.Nudge() // there is room now
	return nil
}

// moved is called when an instance got or lost its place, or found none.
func (k *Keeper) moved(i id.Instance, refused map[string]string) {
	k.mu.Lock()
	if len(refused) > 0 {
		k.refused[i] = refused
	} else {
		delete(k.refused, i)
	}
	k.mu.Unlock()
	k.nodes.Nudge()
	poke(k.show)
}

// place chooses a node, among what is placed at that instant, and writes it
// down; the node loop tells it afterwards.
func (k *Keeper) place(ctx context.Context, t thing) error {
	snap, err := k.snapshot(ctx)
	if err != nil {
		return err
	}
	var refused map[string]string
	err = k.Store.Place(ctx, t.id, func(others []store.Placement) *store.Placement {
		k.mu.Lock()
		defer k.mu.Unlock()
		var name string
		if name, refused = k.choose(snap, others, *t.order); name == "" {
			return nil
		}
		refused = nil
		return k.placementOn(snap.byName[name], *t.order)
	})
	if err != nil {
		return err
	}
	crash.Here("keep.placed")
	k.moved(t.id, refused) // if others were quicker, the next look waits
	return nil
}

func (k *Keeper) placementOn(n store.Node, w wire.Instance) *store.Placement {
	return &store.Placement{NodeID: n.ID, Node: n.Name, VCPUs: w.VCPUs, MemoryMiB: w.MemoryMiB, DiskGiB: w.DiskGiB, Placed: k.Now().UTC()}
}

// placeWhereItIs writes down the place of an instance that a node has while we
// know of none: our store is older than the world.
func (k *Keeper) placeWhereItIs(ctx context.Context, t thing) error {
	snap, err := k.snapshot(ctx)
	if err != nil {
		return err
	}
	n, ok := snap.byName[t.on[0]]
	if !ok {
		return nil // forgotten meanwhile; the next look knows
	}
	err = k.Store.Place(ctx, t.id, func([]store.Placement) *store.Placement { return k.placementOn(n, *t.order) })
	k.moved(t.id, nil)
	return err
}
