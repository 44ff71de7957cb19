package choose

import (
	"testing"

	"karri/shared/wire"
)

func node(state wire.NodeState, cpus, mem, usedMem int) wire.Node {
	return wire.Node{State: state, Total: wire.Capacity{VCPUs: cpus, MemoryMiB: mem, DiskGiB: 100}, Used: wire.Capacity{MemoryMiB: usedMem}}
}

func size(cpus, mem int) wire.Capacity { return wire.Capacity{VCPUs: cpus, MemoryMiB: mem, DiskGiB: 1} }

func TestFit(t *testing.T) {
	ready, away := wire.Ready, wire.Away
	for _, c := range []struct {
		name string
		zone Zone
		need wire.Capacity
		max  int
		want int
	}{
		{"no node", Zone{}, size(1, 128), 3, 0},
		{"room for all", Zone{Nodes: []wire.Node{node(ready, 8, 1024, 0)}}, size(1, 128), 3, 3},
		{"memory runs out", Zone{Nodes: []wire.Node{node(ready, 8, 1024, 768)}}, size(1, 128), 3, 2},
		{"cpus run out", Zone{Nodes: []wire.Node{node(ready, 1, 1024, 0)}}, size(1, 128), 3, 1},
		{"no node is large enough though all together are", Zone{Nodes: []wire.Node{node(ready, 8, 1024, 0), node(ready, 8, 1024, 0)}}, size(1, 1500), 1, 0},
		{"a node that is away has no room", Zone{Nodes: []wire.Node{node(away, 8, 1024, 0)}}, size(1, 128), 3, 0},
		{"promises take room", Zone{Nodes: []wire.Node{node(ready, 8, 1024, 0)}, Promised: []wire.Capacity{size(1, 896)}}, size(1, 128), 3, 1},
		{"a promise that fits nowhere takes none", Zone{Nodes: []wire.Node{node(ready, 8, 1024, 0)}, Promised: []wire.Capacity{size(1, 4096)}}, size(1, 512), 3, 2},
		{"promises are packed tightly", Zone{Nodes: []wire.Node{node(ready, 8, 1024, 0), node(ready, 8, 256, 0)}, Promised: []wire.Capacity{size(1, 256)}}, size(1, 1024), 1, 1},
		{"more used than there is", Zone{Nodes: []wire.Node{node(ready, 8, 1024, 2048)}}, size(1, 128), 1, 0},
	} {
		if got := Fit(c.zone, c.need, c.max); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestBestTakesTheZoneWithTheMostRoom(t *testing.T) {
	b := Zone{Name: "b", Nodes: []wire.Node{node(wire.Ready, 8, 1024, 0)}}
	a := Zone{Name: "a", Nodes: []wire.Node{node(wire.Ready, 8, 512, 0)}}
	for _, c := range []struct {
		max  int
		zone string
		n    int
	}{{10, "b", 8}, {2, "a", 2}} {
		if zone, n := Best([]Zone{b, a}, size(1, 128), c.max); zone != c.zone || n != c.n {
			t.Errorf("max %d: %s %d, want %s %d", c.max, zone, n, c.zone, c.n)
		}
	}
	if zone, n := Best(nil, size(1, 1), 1); zone != "" || n != 0 {
		t.Errorf("without zones: %q %d", zone, n)
	}
}
