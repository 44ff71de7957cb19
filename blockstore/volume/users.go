package volume

import (
	"hash/fnv"

	"karri/shared/id"
)

// Users are the users that storage daemons run as: Count of them from First on,
// each with a group of the same number. Each volume has one of its own, to whom
// its files belong, so that a daemon over which a guest gets power finds the other
// volumes closed. With no Count, everything is done by the user that we are.
type Users struct{ First, Count int }

// Of returns the user of v; -1 when it is the one that we are. It is made from
// the id: nothing need be kept of it, and of ten thousand volumes no two share a
// user in nineteen clouds of twenty.
func (u Users) Of(v id.Volume) int {
	if u.Count == 0 {
		return -1
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(v))
	return u.First + int(h.Sum64()%uint64(u.Count))
}
