package choose

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

var small = Size{1, 128, 4}

func node(name string, used int) Node {
	n := Node{Name: name, Total: Size{4, 1024, 100}}
	for range used {
		n.Used = n.Used.Plus(small)
	}
	return n
}

func TestPolicies(t *testing.T) {
	closed := node("a", 0)
	closed.Closed = "it does not answer"
	for _, c := range []struct {
		name   string
		policy Policy
		nodes  []Node
		last   string
		want   string
		why    map[string]string
	}{
		{"greedy fills the first", Greedy, []Node{node("b", 0), node("a", 3)}, "a", "a", nil},
		{"greedy goes on when it is full", Greedy, []Node{node("a", 4), node("b", 0)}, "", "b", map[string]string{"a": "1 vCPUs needed, 0 of 4 free"}},
		{"greedy passes a closed one", Greedy, []Node{closed, node("b", 0)}, "", "b", map[string]string{"a": "it does not answer"}},
		{"round robin goes on", RoundRobin, []Node{node("a", 0), node("b", 0), node("c", 0)}, "a", "b", nil},
		{"round robin comes round", RoundRobin, []Node{node("a", 0), node("b", 0)}, "b", "a", nil},
		{"round robin skips the full", RoundRobin, []Node{node("a", 0), node("b", 4), node("c", 0)}, "a", "c", map[string]string{"b": "1 vCPUs needed, 0 of 4 free"}},
		{"round robin after a node that left", RoundRobin, []Node{node("a", 0), node("c", 0)}, "b", "c", nil},
		{"nothing fits", Greedy, []Node{node("a", 4), closed}, "", "", map[string]string{"a": "it does not answer"}},
		{"no nodes", RoundRobin, nil, "", "", nil},
	} {
		got, why := c.policy(c.nodes, small, c.last)
		if c.why == nil {
			c.why = map[string]string{}
		}
		if got != c.want || !reflect.DeepEqual(why, c.why) {
			t.Errorf("%s: %q %v, want %q %v", c.name, got, why, c.want, c.why)
		}
	}
}

// Whatever comes and goes, no node ever carries more than it has, and an
// instance is refused only where it does not fit.
func TestNeverTooMuchAndNeverRefusedForNothing(t *testing.T) {
	for name, policy := range Policies {
		for seed := range uint64(200) {
			r := rand.New(rand.NewPCG(seed, 0))
			nodes := make([]Node, 1+r.IntN(5))
			for i := range nodes {
				nodes[i] = Node{Name: fmt.Sprint("n", i), Total: Size{r.IntN(16), r.IntN(4096), r.IntN(200)}}
			}
			last := ""
			for range 100 {
				need := Size{1 + r.IntN(4), 64 << r.IntN(5), 1 + r.IntN(20)}
				got, why := policy(nodes, need, last)
				for i := range nodes {
					n := &nodes[i]
					fits := n.Used.VCPUs+need.VCPUs <= n.Total.VCPUs && n.Used.MemoryMiB+need.MemoryMiB <= n.Total.MemoryMiB && n.Used.DiskGiB+need.DiskGiB <= n.Total.DiskGiB
					if fits == (why[n.Name] != "") || n.Name == got && !fits || got == "" && fits {
						t.Fatalf("%s, seed %d: %v for %v: chose %q, refused %v", name, seed, need, *n, got, why)
					}
					if n.Name == got {
						n.Used = n.Used.Plus(need)
						last = got
					}
				}
			}
		}
	}
}
