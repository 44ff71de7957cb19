package content

import "sync"

// uses are the pieces that are being read or removed, by their places. Where
// the bytes would go at once, the last reader removes what has been removed
// while he read.
type uses[K comparable] struct {
	mu sync.Mutex
	of map[K]*use
}

type use struct {
	readers int
	removed bool
}

func (u *uses[K]) get(k K) *use {
	if u.of == nil {
		u.of = map[K]*use{}
	}
	if u.of[k] == nil {
		u.of[k] = &use{}
	}
	return u.of[k]
}

// begin begins a reading, unless the piece has been removed.
func (u *uses[K]) begin(k K) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	p := u.get(k)
	if !p.removed {
		p.readers++
	}
	return !p.removed
}

// end ends a reading. When it reports true the caller removes the bytes and
// then calls forget.
func (u *uses[K]) end(k K) (remove bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	p := u.of[k]
	p.readers--
	if p.readers == 0 && !p.removed {
		delete(u.of, k)
	}
	return p.readers == 0 && p.removed
}

// remove removes a piece. When it reports false somebody else sees to the
// bytes; else the caller does, and then calls forget.
func (u *uses[K]) remove(k K) (now bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	p := u.get(k)
	now = !p.removed && p.readers == 0
	p.removed = true
	return now
}

func (u *uses[K]) forget(k K) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.of, k)
}
