// Package keep holds the loops of a clusterctl: one that finds a place for
// each instance and frees it again, one that tells each node its orders, and
// per node one that asks what it sees.
//
// What is wanted comes from the book of orders, which cloudctl writes; where
// things are placed from the store; what is there from the nodes' reports,
// which live in memory and are asked for again after a restart. No node is
// told anything before the first orders came and the node has answered once,
// so a clusterctl that begins with nothing changes nothing.
//
// Silence never kills. A node that does not answer is Away; its instances keep
// their place until it says that nothing of them is left, or an administrator
// forgets the node. A node that has accepted a later generation than we know
// of shows that our store is a restored one: nothing is told to it, and
// nothing is placed anywhere, until Adopt.
package keep

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"karri/clusterctl/choose"
	"karri/clusterctl/store"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/pki"
	"karri/shared/wire"
)

// Node is a node as a Peer.
type Node = wire.Peer[wire.NodeOrders, wire.NodeReport]

// A Dial returns the Peer of a node, and what frees it.
type Dial func(n store.Node) (Node, func())

// Store is what is on disk of the zone: *store.Store.
type Store interface {
	Nodes(ctx context.Context) ([]store.Node, error)
	Changes() uint64 // grows with every write
	Placements(ctx context.Context) ([]store.Placement, error)
	Place(ctx context.Context, i id.Instance, choose func(others []store.Placement) *store.Placement) error
	Unplace(ctx context.Context, i id.Instance, now time.Time) error
	SetState(ctx context.Context, i id.Instance, state string) error
	SetEndpoint(ctx context.Context, node int, endpoint string) error
	NextGeneration(ctx context.Context, node int, least uint64) (uint64, error)
	Revoked(ctx context.Context) (store.Revoked, error)
}

// Keeper looks after the instances and nodes of one zone.
type Keeper struct {
	Zone   string
	Store  Store
	Book   *wire.Book[wire.ClusterOrders]
	Board  *wire.Board[wire.ClusterReport]
	Policy choose.Policy
	Dial   Dial
	Log    *slog.Logger
	Self   func() *pki.Credentials // vouches for the nodes
	Now    func() time.Time        // time.Now when nil

	instances life.Runner[thing]
	nodes     life.Runner[link]
	show      chan struct{} // something that the report tells may have changed
	members   chan struct{} // a node came or went

	reading sync.Mutex
	last    *snapshot

	mu      sync.Mutex
	views   map[int]*view // by index
	refused map[id.Instance]map[string]string
}

// view is what is known of a node since our start.
type view struct {
	node   store.Node
	peer   Node
	free   func()
	seen   wire.Seen[wire.NodeReport]
	heard  time.Time // zero: never
	err    error     // of the last try to reach it
	told   uint64    // the generation that it accepted from us
	sum    string    // digest of those orders
	covers []cover
}

// cover says which generation of the cluster's orders a generation of a node's
// orders was made of: the last one, where several led to the same.
type cover struct{ node, cluster uint64 }

// Bounds of silence after which a node counts as Away: an Ask without news
// comes back within 20 seconds.
const (
	quiet  = 35 * time.Second
	broken = 5 * time.Second // when the last try failed
)

// New makes a Keeper of one whose exported fields are set.
func New(k *Keeper) *Keeper {
	if k.Now == nil {
		k.Now = time.Now
	}
	k.show, k.members = make(chan struct{}, 1), make(chan struct{}, 1)
	k.views, k.refused = map[int]*view{}, map[id.Instance]map[string]string{}
	k.instances.Kind, k.instances.Log = k.Instances(), k.Log
	k.nodes.Kind, k.nodes.Log = k.Nodes(), k.Log
	return k
}

// Run works until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer k.dropViews()
	defer wg.Wait()
	wg.Go(func() { k.instances.Run(ctx) })
	wg.Go(func() { k.nodes.Run(ctx) })
	wg.Go(func() { k.followAll(ctx) })
	wg.Go(func() { k.publishLoop(ctx) })
	for {
		changed := k.Book.Changed()
		k.instances.Nudge()
		k.nodes.Nudge()
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// NodesChanged is called after a node joined or was forgotten.
func (k *Keeper) NodesChanged() {
	poke(k.members)
	k.nodes.Nudge()
	k.instances.Nudge()
	poke(k.show)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// view returns the view of a node, dialed, for its present address. Call it
// with k.mu held.
func (k *Keeper) view(n store.Node) *view {
	v := k.views[n.ID]
	if v != nil {
		n.Generation = max(n.Generation, v.node.Generation) // n may have been read before a tell
	}
	if v != nil && v.node.Address == n.Address {
		v.node = n
		return v
	}
	if v == nil {
		v = &view{}
		k.views[n.ID] = v
	} else {
		v.free()
	}
	v.node = n
	v.peer, v.free = k.Dial(n)
	return v
}

func (k *Keeper) dropViews() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, v := range k.views {
		v.free()
		delete(k.views, i)
	}
}

// state returns the health of a node, and why it takes no instances.
func (v *view) state(now time.Time) (wire.NodeState, string) {
	silent := now.Sub(v.heard)
	switch {
	case v.heard.IsZero():
		return wire.Away, "it has not answered since clusterctl was started"
	case silent > quiet || v.err != nil && silent > broken:
		return wire.Away, "it does not answer"
	case v.ahead():
		return wire.Ready, "it knows later orders than we do; it waits for karri cluster adopt"
	}
	return wire.Ready, v.host().Trouble
}

// ahead reports whether the node was told more than our store knows of.
func (v *view) ahead() bool { return v.seen.Accepted > v.node.Generation }

func (v *view) host() wire.Host {
	for _, h := range v.seen.Report.Host {
		return h
	}
	return wire.Host{}
}
