package index

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
)

var seed = maphash.MakeSeed()

// stripes are the locks of one process; two names may share one. Those of keys
// are many, since each is held while a disk syncs.
type stripes [lockKinds][]sync.RWMutex

func newStripes() *stripes {
	var s stripes
	for kind, n := range map[lockKind]int{bucketLock: 1 << 10, uploadLock: 1 << 10, keyLock: 16 << 10, quotaLock: 64, accountLock: 64} {
		s[kind] = make([]sync.RWMutex, n)
	}
	return &s
}

// A grip is one stripe that is held.
type grip struct {
	kind   lockKind
	shared bool
	at     int
}

func (s *stripes) grip(l lock) grip {
	return grip{l.kind, l.shared, int(maphash.String(seed, l.name) % uint64(len(s[l.kind])))}
}

func (s *stripes) take(g grip) {
	if m := &s[g.kind][g.at]; g.shared {
		m.RLock()
	} else {
		m.Lock()
	}
}

func (s *stripes) release(g grip) {
	if m := &s[g.kind][g.at]; g.shared {
		m.RUnlock()
	} else {
		m.Unlock()
	}
}

// takeAll takes the locks, always in the same order, and returns what it holds.
func (s *stripes) takeAll(locks []lock) []grip {
	held := make([]grip, 0, len(locks)+1)
	for _, l := range locks {
		held = append(held, s.grip(l))
	}
	slices.SortFunc(held, func(a, b grip) int {
		shared := func(g grip) int {
			if g.shared {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.at, b.at), shared(a)-shared(b))
	})
	held = slices.CompactFunc(held, func(a, b grip) bool { return a.kind == b.kind && a.at == b.at })
	for _, g := range held {
		s.take(g)
	}
	return held
}
