package keep

import (
	"context"
	"maps"
	"slices"
	"time"

	"karri/clusterctl/store"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// Explain says what is known here of an instance or a node, and names the node
// that knows more; "" for none.
func (k *Keeper) Explain(ctx context.Context, what string) (wire.Explanation, string, error) {
	e := wire.Explanation{Tier: "clusterctl " + k.Zone, Lines: []string{}}
	ns, err := k.Store.Nodes(ctx)
	if err != nil {
		return e, "", err
	}
	for _, n := range ns {
		if n.Name == what {
			k.explainNode(&e, n)
			return e, n.Name, nil
		}
	}
	ps, err := k.Store.Placements(ctx)
	if err != nil {
		return e, "", err
	}
	at, err := k.explainInstance(&e, id.Instance(what), ns, ps)
	return e, at, err
}

func (k *Keeper) explainNode(e *wire.Explanation, n store.Node) {
	k.mu.Lock()
	v := k.view(n)
	state, trouble := v.state(k.Now())
	e.Say("node %s (index %d) at %s is %s, last heard %s", n.Name, n.ID, n.Address, state, ago(v.heard))
	if trouble != "" {
		e.Say("trouble: %s", trouble)
	}
	if v.err != nil {
		e.Say("last error: %v", v.err)
	}
	e.Say("orders: generation %d was made, %d accepted; packet rules of %d in force", v.node.Generation, v.seen.Accepted, v.host().Rules)
	k.mu.Unlock()
	s, _ := k.nodes.Status(n.Name)
	e.SayFlow(s)
}

func ago(t time.Time) string {
	if t.IsZero() {
		return "never since clusterctl was started"
	}
	return time.Since(t).Round(time.Second).String() + " ago"
}

// explainInstance returns the name of the node that the instance is placed on.
func (k *Keeper) explainInstance(e *wire.Explanation, i id.Instance, ns []store.Node, ps []store.Placement) (string, error) {
	o, gen := k.Book.Orders()
	w, ordered := o.Instances[i]
	at, known := "", ordered
	if ordered {
		e.Say("wanted %s, by generation %d of the orders", w.Want, gen)
	} else {
		e.Say("no order names it")
	}
	for _, p := range ps {
		if p.Instance != i {
			continue
		}
		known = true
		e.Say("placed on %s at %s; that node said last: %q", p.Node, p.Placed.UTC().Format(time.RFC3339), p.State)
		if slices.ContainsFunc(ns, func(n store.Node) bool { return n.ID == p.NodeID }) {
			at = p.Node
		} else {
			e.Say("that node was forgotten")
		}
	}
	k.mu.Lock()
	for _, n := range ns {
		if s, ok := k.view(n).seen.Report.Instances[i]; ok && n.Name != at {
			known = true
			e.Say("node %s says that it is %s there", n.Name, s.State)
		}
	}
	refused := k.refused[i]
	for _, n := range slices.Sorted(maps.Keys(refused)) {
		e.Say("node %s cannot take it: %s", n, refused[n])
	}
	k.mu.Unlock()
	if !known {
		return "", fault.New(fault.Missing, "NotHere", "Nothing is known here of %s.", i)
	}
	s, _ := k.instances.Status(string(i))
	e.SayFlow(s)
	return at, nil
}
