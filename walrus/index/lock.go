package index

import (
	"hash/maphash"
	"slices"
	"sync"
)

var seed = maphash.MakeSeed()

// The locks of keys are many, since each is held while a disk syncs.
const (
	keyStripes    = 16 << 10
	bucketStripes = 1 << 10
)

// stripes are locks by name; two names may share one.
type stripes [keyStripes]sync.Mutex

// lock takes the locks of all names, always in the same order.
func (s *stripes) lock(names ...string) (unlock func()) {
	at := make([]int, 0, len(names))
	for _, n := range names {
		at = append(at, int(maphash.String(seed, n)%keyStripes))
	}
	slices.Sort(at)
	at = slices.Compact(at)
	for _, i := range at {
		s[i].Lock()
	}
	return func() {
		for _, i := range at {
			s[i].Unlock()
		}
	}
}

type rwStripes [bucketStripes]sync.RWMutex

func (s *rwStripes) of(name string) *sync.RWMutex {
	return &s[maphash.String(seed, name)%bucketStripes]
}

func (s *rwStripes) share(name string) (unlock func()) {
	l := s.of(name)
	l.RLock()
	return l.RUnlock
}

func (s *rwStripes) alone(name string) (unlock func()) {
	l := s.of(name)
	l.Lock()
	return l.Unlock
}

func keyName(bucket, key string) string { return bucket + "\x00" + key }
