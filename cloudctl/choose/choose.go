// Package choose decides which zone gets new instances, and how many.
//
// It is pure: it is given what was reported and what was promised since, and
// answers always the same for the same. A crash has nothing to do with it. The
// cluster of the zone chooses the node later by its own rules; here it only
// matters that a promise to a user is backed by room that was seen.
package choose

import (
	"cmp"
	"slices"

	"karri/shared/wire"
)

// A Zone is what is known of the room in one zone.
type Zone struct {
	Name     string
	Nodes    []wire.Node
	Promised []wire.Capacity // of wished instances that no node reports as placed yet
}

// Fit returns how many instances of the given size find room in the zone, at
// most max. Promised instances are put first, each where it fits tightest; one
// that fits nowhere takes no room.
func Fit(z Zone, need wire.Capacity, max int) int {
	free := []wire.Capacity{}
	for _, n := range z.Nodes {
		if n.State == wire.Ready {
			free = append(free, minus(n.Total, n.Used))
		}
	}
	for _, p := range z.Promised {
		put(free, p)
	}
	for n := range max {
		if !put(free, need) {
			return n
		}
	}
	return max
}

// Best returns the zone with the most room for instances of the given size,
// the first by name among equals, and how many fit there, at most max.
func Best(zones []Zone, need wire.Capacity, max int) (string, int) {
	name, most := "", 0
	zones = slices.Clone(zones)
	slices.SortFunc(zones, func(a, b Zone) int { return cmp.Compare(a.Name, b.Name) })
	for _, z := range zones {
		if n := Fit(z, need, max); n > most || name == "" {
			name, most = z.Name, n
		}
	}
	return name, most
}

// put takes room for c on the node where the least memory is left over.
func put(free []wire.Capacity, c wire.Capacity) bool {
	best := -1
	for i, f := range free {
		if f.VCPUs < c.VCPUs || f.MemoryMiB < c.MemoryMiB || f.DiskGiB < c.DiskGiB {
			continue
		}
		if best < 0 || f.MemoryMiB < free[best].MemoryMiB {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	free[best] = minus(free[best], c)
	return true
}

func minus(a, b wire.Capacity) wire.Capacity {
	return wire.Capacity{VCPUs: a.VCPUs - b.VCPUs, MemoryMiB: a.MemoryMiB - b.MemoryMiB, DiskGiB: a.DiskGiB - b.DiskGiB}
}
