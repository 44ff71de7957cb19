package keep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"

	"karri/clusterctl/store"
	"karri/shared/id"
	"karri/shared/wire"
)

// snapshot is what store and book hold, read once for all who look until
// something changes. Only this process writes them, so their change numbers
// tell when it is old.
type snapshot struct {
	changes, gen uint64 // of the store and of the book
	nodes        []store.Node
	placements   []store.Placement
	place        map[id.Instance]store.Placement
	byID         map[int]store.Node
	byName       map[string]store.Node
	zone         zone

	mu       sync.Mutex
	rendered map[string]told
}

// told is the orders of a node and their digest.
type told struct {
	orders wire.NodeOrders
	sum    string
}

// snapshot returns the newest snapshot.
func (k *Keeper) snapshot(ctx context.Context) (*snapshot, error) {
	changes := k.Store.Changes() // before reading: what is read may be newer, never older
	orders, gen := k.Book.Orders()
	k.reading.Lock()
	defer k.reading.Unlock()
	if s := k.last; s != nil && s.changes == changes && s.gen == gen {
		return s, nil
	}
	ns, err := k.Store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	ps, err := k.Store.Placements(ctx)
	if err != nil {
		return nil, err
	}
	s := &snapshot{changes: changes, gen: gen, nodes: ns, placements: ps,
		place: map[id.Instance]store.Placement{}, byID: map[int]store.Node{}, byName: map[string]store.Node{}, rendered: map[string]told{}}
	for _, n := range ns {
		s.byID[n.ID], s.byName[n.Name] = n, n
	}
	at := map[id.Instance]string{}
	for _, p := range ps {
		s.place[p.Instance] = p
		at[p.Instance] = s.byID[p.NodeID].Name // "" when it was forgotten
	}
	s.zone = zone{orders: orders, node: at, links: linksOf(ns)}
	s.zone.members = s.zone.membersOf()
	k.last = s
	return s, nil
}

// ordersOf returns what a node should be told.
func (s *snapshot) ordersOf(node string) (told, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.rendered[node]; ok {
		return t, nil
	}
	t := told{orders: s.zone.render(node)}
	b, err := json.Marshal(t.orders)
	if err != nil {
		return t, err
	}
	sum := sha256.Sum256(b)
	t.sum = hex.EncodeToString(sum[:])
	s.rendered[node] = t
	return t, nil
}
