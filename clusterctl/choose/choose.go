// Package choose decides which node gets an instance. It is pure: the same
// nodes and the same instance give the same answer, and for every node that is
// not chosen a reason that explain shows.
package choose

import (
	"fmt"
	"slices"
	"strings"
)

// Size is what a node has, or an instance needs.
type Size struct {
	VCPUs, MemoryMiB, DiskGiB int
}

// Plus returns s and o together.
func (s Size) Plus(o Size) Size {
	return Size{s.VCPUs + o.VCPUs, s.MemoryMiB + o.MemoryMiB, s.DiskGiB + o.DiskGiB}
}

// Node is a node as far as the choice needs it.
type Node struct {
	Name   string
	Closed string // why it takes nothing now; empty: it does
	Total  Size
	Used   Size // by all that is placed on it, stopped instances too
}

// lack returns why need does not fit into n, or "".
func (n Node) lack(need Size) string {
	if n.Closed != "" {
		return n.Closed
	}
	var short []string
	for _, r := range []struct {
		what              string
		need, used, total int
	}{
		{"vCPUs", need.VCPUs, n.Used.VCPUs, n.Total.VCPUs},
		{"MiB of memory", need.MemoryMiB, n.Used.MemoryMiB, n.Total.MemoryMiB},
		{"GiB of disk", need.DiskGiB, n.Used.DiskGiB, n.Total.DiskGiB},
	} {
		if r.used+r.need > r.total {
			short = append(short, fmt.Sprintf("%d %s needed, %d of %d free", r.need, r.what, max(r.total-r.used, 0), r.total))
		}
	}
	return strings.Join(short, "; ")
}

// A Policy picks the node for an instance that needs need; "" when none will
// do. last is the node that got the instance before this one. refused has the
// reason for each node that cannot have it.
type Policy func(nodes []Node, need Size, last string) (node string, refused map[string]string)

// Policies are the ones that --scheduler can name.
var Policies = map[string]Policy{"greedy": Greedy, "roundrobin": RoundRobin}

// Greedy fills the first node, by name, before it touches the next.
func Greedy(nodes []Node, need Size, _ string) (string, map[string]string) {
	return first(sorted(nodes), need)
}

// RoundRobin takes the next node, by name, behind the one that was last.
func RoundRobin(nodes []Node, need Size, last string) (string, map[string]string) {
	ns := sorted(nodes)
	at := 0
	for at < len(ns) && ns[at].Name <= last {
		at++
	}
	return first(slices.Concat(ns[at:], ns[:at]), need)
}

func sorted(nodes []Node) []Node {
	ns := slices.Clone(nodes)
	slices.SortFunc(ns, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return ns
}

func first(nodes []Node, need Size) (string, map[string]string) {
	refused := map[string]string{}
	node := ""
	for _, n := range nodes {
		if why := n.lack(need); why != "" {
			refused[n.Name] = why
		} else if node == "" {
			node = n.Name
		}
	}
	return node, refused
}
