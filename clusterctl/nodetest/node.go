// Package nodetest has a node that exists in memory only, for tests of those
// who tell nodes what to do. Its orders are in a real book on disk, so it
// refuses old generations and remembers as a real one does; what it runs
// survives a restart of its agent, as real machines do.
package nodetest

import (
	"context"
	"maps"
	"net/netip"
	"sync"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/wire"
)

// Node is a pretended host and its nodectl. Its methods may be called by
// several goroutines.
type Node struct {
	Name  string
	book  *wire.Book[wire.NodeOrders]
	board *wire.Board[wire.NodeReport]

	mu      sync.Mutex
	host    wire.Host
	has     map[id.Instance]wire.InstanceState
	started map[id.Instance]int
	down    bool
}

// New returns a node called name with room for total, whose book is in dir.
func New(dir, name string, endpoint netip.Addr, total wire.Capacity) (*Node, error) {
	book, err := wire.OpenBook[wire.NodeOrders](dir)
	if err != nil {
		return nil, err
	}
	n := &Node{Name: name, book: book, board: wire.NewBoard[wire.NodeReport](),
		host: wire.Host{Accelerator: "qemu", Endpoint: endpoint, Total: total},
		has:  map[id.Instance]wire.InstanceState{}, started: map[id.Instance]int{}}
	return n, n.Work()
}

// Close closes the book.
func (n *Node) Close() error { return n.book.Close() }

// Register serves the node's orders and reports to its clusterctl.
func (n *Node) Register(in *rest.Internal) {
	wire.Serve(in, rest.Roles(pki.Clusterctl), n.book, n.board)
}

// Work brings what runs to what is ordered, and reports.
func (n *Node) Work() error {
	o, gen := n.book.Orders()
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, w := range o.Instances {
		switch {
		case w.Want == wire.Running && n.has[i] != wire.InstanceRunning:
			n.has[i] = wire.InstanceRunning
			n.started[i]++
		case w.Want == wire.Stopped:
			n.has[i] = wire.InstanceStopped
		case w.Want == wire.Gone:
			n.has[i] = wire.InstanceGone
		}
	}
	r := wire.NodeReport{Host: map[string]wire.Host{}, Instances: map[id.Instance]wire.InstanceSeen{}}
	for i, s := range n.has {
		_, ordered := o.Instances[i]
		if !ordered && s == wire.InstanceGone {
			delete(n.has, i)
			continue
		}
		r.Instances[i] = wire.InstanceSeen{State: s, Stray: !ordered}
	}
	n.host.Rules = gen
	r.Host[n.Name] = n.host
	_, err := n.board.Publish(r)
	return err
}

// Run works whenever orders come, until ctx ends.
func (n *Node) Run(ctx context.Context) error {
	for {
		changed := n.book.Changed()
		if err := n.Work(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// Has returns what there is of each instance.
func (n *Node) Has() map[id.Instance]wire.InstanceState {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.has)
}

// Starts returns how often the machine of an instance was started.
func (n *Node) Starts(i id.Instance) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.started[i]
}

// Orders returns what the node was told last, and its generation.
func (n *Node) Orders() (wire.NodeOrders, uint64) { return n.book.Orders() }

// SetDown cuts the node off, or joins it again.
func (n *Node) SetDown(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
}

func (n *Node) away() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return fault.New(fault.Later, "PeerAway", "The node does not answer.")
	}
	return nil
}

// Tell implements wire.Peer.
func (n *Node) Tell(ctx context.Context, gen uint64, o wire.NodeOrders) error {
	if err := n.away(); err != nil {
		return err
	}
	return n.book.Tell(ctx, gen, o)
}

// Ask implements wire.Peer.
func (n *Node) Ask(ctx context.Context, since uint64) (wire.Seen[wire.NodeReport], error) {
	if err := n.away(); err != nil {
		return wire.Seen[wire.NodeReport]{}, err
	}
	return wire.Local(n.book, n.board).Ask(ctx, since)
}
