package keep

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"karri/clusterctl/store"
	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/life"
	"karri/shared/wire"
)

// link is a node and the orders that it should have.
type link struct {
	node    store.Node
	cluster uint64 // generation of the orders that its own are made of
	told

	heard    bool
	accepted uint64
	has      string // digest of what it has, as far as we know
}

// Nodes is the loop that tells each node its orders.
func (k *Keeper) Nodes() life.Kind[link] {
	return life.Kind[link]{
		Name: "node",
		List: func(ctx context.Context) ([]string, error) {
			s, err := k.snapshot(ctx)
			if err != nil {
				return nil, err
			}
			return slices.Sorted(maps.Keys(s.byName)), nil
		},
		Look: k.lookNode,
		Next: nextNode(k.tell),
	}
}

func (k *Keeper) lookNode(ctx context.Context, name string) (link, error) {
	s, err := k.snapshot(ctx)
	if err != nil {
		return link{}, err
	}
	n, ok := s.byName[name]
	if !ok {
		return link{}, nil // forgotten meanwhile
	}
	l := link{node: n, cluster: s.gen}
	if l.told, err = s.ordersOf(name); err != nil {
		return link{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	v := k.view(n)
	l.heard, l.accepted, l.has = !v.heard.IsZero(), v.seen.Accepted, v.sum
	if v.sum == l.sum && len(v.covers) > 0 && v.covers[len(v.covers)-1].cluster < s.gen {
		v.covers[len(v.covers)-1].cluster = s.gen // other wishes, the same orders
		poke(k.show)
	}
	return l, nil
}

func nextNode(tell func(context.Context, link) error) func(link) *life.Step[link] {
	return func(l link) *life.Step[link] {
		switch {
		case l.node.ID == 0:
			return nil
		case l.cluster == 0:
			return life.Wait[link]("the first orders of cloudctl")
		case !l.heard:
			return life.Wait[link]("the node's first answer")
		case l.accepted > l.node.Generation:
			return life.Wait[link]("karri cluster adopt: the node has accepted generation %d, and we know of %d", l.accepted, l.node.Generation)
		case l.has != l.sum:
			return &life.Step[link]{Name: "tell", Do: tell}
		}
		return nil
	}
}

// tell gives a node its orders under a new generation, which is on disk first,
// so that no generation ever stands for two lists.
func (k *Keeper) tell(ctx context.Context, l link) error {
	gen, err := k.Store.NextGeneration(ctx, l.node.ID, l.accepted)
	if err != nil {
		return err
	}
	crash.Here("keep.generation-taken")
	k.mu.Lock()
	v := k.view(l.node)
	v.node.Generation = gen
	peer := v.peer
	k.mu.Unlock()
	err = peer.Tell(ctx, gen, l.orders)
	k.mu.Lock()
	defer k.mu.Unlock()
	if v = k.view(l.node); err != nil {
		return err
	}
	v.told, v.sum = gen, l.sum
	v.covers = append(v.covers, cover{gen, l.cluster})
	poke(k.show)
	return nil
}

// follow asks one node what it sees until ctx ends.
func (k *Keeper) follow(ctx context.Context, name string) {
	wait := 200 * time.Millisecond
	for ctx.Err() == nil {
		err := k.Ask(ctx, name)
		if err == nil {
			wait = 200 * time.Millisecond
			continue
		}
		poke(k.show)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
			wait = min(2*wait, 5*time.Second)
		}
	}
}

// Ask waits for news of the node called name, once, and takes them in.
func (k *Keeper) Ask(ctx context.Context, name string) error {
	snap, err := k.snapshot(ctx)
	if err != nil {
		return err
	}
	n, ok := snap.byName[name]
	if !ok {
		return fault.New(fault.Missing, "NoSuchNode", "There is no node %q in this zone.", name)
	}
	k.mu.Lock()
	v := k.view(n)
	peer, since, told, was := v.peer, v.seen.Version, v.told, v.err != nil || v.heard.IsZero()
	if was {
		since = 0 // do not wait: is it there again?
	}
	k.mu.Unlock()
	s, err := peer.Ask(ctx, since)
	k.mu.Lock()
	if v.err = err; err != nil {
		k.mu.Unlock()
		return fmt.Errorf("ask node %s: %w", name, err)
	}
	news := s.Version != v.seen.Version
	v.seen, v.heard = s, k.Now()
	if told > s.Accepted {
		v.sum = "" // it lost what it was told before we asked
		k.nodes.Nudge(name)
	}
	for len(v.covers) > 1 && v.covers[1].node <= v.host().Rules {
		v.covers = v.covers[1:]
	}
	k.mu.Unlock()
	if was {
		k.nodes.Nudge(name)
	}
	if news || was {
		err = k.takeIn(ctx, n, s.Report)
	}
	poke(k.show)
	return err
}

// takeIn keeps what of a report must outlive us: where the node's packets go,
// since other nodes' orders name it, and the states of its instances.
func (k *Keeper) takeIn(ctx context.Context, n store.Node, r wire.NodeReport) error {
	if e := r.Host[n.Name].Endpoint; e.IsValid() && e.String() != n.Endpoint {
		if err := k.Store.SetEndpoint(ctx, n.ID, e.String()); err != nil {
			return err
		}
		k.nodes.Nudge()
	}
	snap, err := k.snapshot(ctx)
	if err != nil {
		return err
	}
	for _, p := range snap.placements {
		s, ok := r.Instances[p.Instance]
		if p.NodeID != n.ID || !ok || string(s.State) == p.State {
			continue
		}
		if err := k.Store.SetState(ctx, p.Instance, string(s.State)); err != nil {
			return err
		}
	}
	k.instances.Nudge()
	return nil
}

// followAll has one follower for each node.
func (k *Keeper) followAll(ctx context.Context) {
	following := map[int]context.CancelFunc{}
	ended := make(chan int)
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		snap, err := k.snapshot(ctx)
		if err != nil {
			snap = &snapshot{}
			if ctx.Err() == nil {
				k.Log.Error("cannot list nodes", "err", err)
			}
		}
		here := map[int]bool{}
		for _, n := range snap.nodes {
			here[n.ID] = true
			if following[n.ID] != nil || ctx.Err() != nil {
				continue
			}
			one, stop := context.WithCancel(ctx)
			following[n.ID] = stop
			go func() { k.follow(one, n.Name); ended <- n.ID }()
		}
		for i, stop := range following {
			if err == nil && !here[i] || ctx.Err() != nil {
				stop()
			}
		}
		if ctx.Err() != nil && len(following) == 0 {
			return
		}
		done := ctx.Done()
		if ctx.Err() != nil {
			done = nil
		}
		select {
		case i := <-ended:
			following[i]()
			delete(following, i)
			k.forgetView(i)
		case <-done:
		case <-k.members:
		case <-ticker.C:
		}
	}
}

func (k *Keeper) forgetView(i int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if v := k.views[i]; v != nil {
		v.free()
		delete(k.views, i)
	}
}

// linksOf returns how nodes reach each other, as they said last.
func linksOf(ns []store.Node) map[string]wire.Link {
	links := map[string]wire.Link{}
	for _, n := range ns {
		if a, err := netip.ParseAddr(n.Endpoint); err == nil {
			links[n.Name] = wire.Link{Index: n.ID, Endpoint: a}
		}
	}
	return links
}

// Adopt goes on from the generations that the nodes have accepted, where they
// are ahead of our store. It tells what it did.
func (k *Keeper) Adopt(ctx context.Context) ([]string, error) {
	snap, err := k.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	done := []string{}
	for _, n := range snap.nodes {
		k.mu.Lock()
		accepted := k.view(n).seen.Accepted
		k.mu.Unlock()
		if accepted <= n.Generation {
			continue
		}
		gen, err := k.Store.NextGeneration(ctx, n.ID, accepted)
		if err != nil {
			return done, err
		}
		done = append(done, fmt.Sprintf("node %s: goes on from generation %d, we were at %d", n.Name, gen, n.Generation))
	}
	k.NodesChanged()
	return done, nil
}
