package index

import (
	"slices"
	"strings"
	"sync"
)

// rollups remember listings that came to common prefixes alone, whole on one
// page: the folders of a bucket, which are asked for over and over and cost a
// seek each. What they say is always so. It rests on two facts: each prefix is
// that of an object that is there, its witness; and no object that is there is
// beneath another. A put can only break the second and an end only the first,
// and each change of what objects there are says what it is about before anyone
// can see it, so that what it would make false is forgotten by then. A listing
// that is read meanwhile is held against all changes that were under way during
// any of it. They know a bucket's changes only where one process makes them all.
type rollups struct {
	mu      sync.Mutex
	buckets map[string]*rolled
	held    int // bytes of memory
}

// rolled is what is known and under way in a bucket.
type rolled struct {
	lists    map[rollupName]*rollup
	changes  map[*showing]struct{} // that are under way
	readings map[*reading]struct{}
}

type rollupName struct{ prefix, delimiter string }

type rollup struct {
	rollupName
	prefixes, witnesses []string // in order; a key beneath each
}

// A showing is a change of whether an object is there.
type showing struct {
	key   string
	there bool // in the end
}

// A reading is a listing that is being read, and the changes that were under
// way meanwhile; nil when they were too many.
type reading struct{ beside []*showing }

const (
	maxRolled  = 4 << 20 // bytes of memory, in all
	maxRollups = 16      // of a bucket: each change looks at all of them
	maxBeside  = 1000
)

// of returns what is known of a bucket; drop forgets it when that is nothing.
// Both are called with the lock held.
func (r *rollups) of(bucket string) *rolled {
	b := r.buckets[bucket]
	if b == nil {
		if r.buckets == nil {
			r.buckets = map[string]*rolled{}
		}
		b = &rolled{map[rollupName]*rollup{}, map[*showing]struct{}{}, map[*reading]struct{}{}}
		r.buckets[bucket] = b
	}
	return b
}

func (r *rollups) drop(bucket string) {
	if b := r.buckets[bucket]; b != nil && len(b.lists)+len(b.changes)+len(b.readings) == 0 {
		delete(r.buckets, bucket)
	}
}

// begin notes a change before anyone can see it; end is called when everyone can.
func (r *rollups) begin(bucket string, s *showing) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.of(bucket)
	for _, l := range b.lists {
		if !l.bears(s) {
			r.forget(b, l)
		}
	}
	for read := range b.readings {
		read.note(s)
	}
	b.changes[s] = struct{}{}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(b.changes, s)
		r.drop(bucket)
	}
}

func (read *reading) note(s *showing) {
	if read.beside == nil || len(read.beside) == maxBeside {
		read.beside = nil
		return
	}
	read.beside = append(read.beside, s)
}

// bears reports whether what l says is so before and after a change.
func (l *rollup) bears(s *showing) bool {
	common := commonOf(s.key, l.prefix, l.delimiter)
	i, known := slices.BinarySearch(l.prefixes, common)
	switch {
	case !strings.HasPrefix(s.key, l.prefix):
		return true
	case s.there:
		return known
	}
	return !known || l.witnesses[i] != s.key
}

func (r *rollups) forget(b *rolled, l *rollup) {
	delete(b.lists, l.rollupName)
	r.held -= l.size()
}

// find returns the common prefixes that a query asks for, nil when they are not
// known. They are not to be changed.
func (r *rollups) find(bucket string, q Query) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b := r.buckets[bucket]; b != nil {
		if l := b.lists[rollupName{q.Prefix, q.Delimiter}]; l != nil && len(l.prefixes) <= q.Max {
			return l.prefixes
		}
	}
	return nil
}

// read notes that a listing is about to be read. The reader calls done with
// what it found, nil when that is not to be remembered, once that is durable.
func (r *rollups) read(bucket string) (done func(*rollup)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, read := r.of(bucket), &reading{beside: []*showing{}}
	for s := range b.changes {
		read.note(s)
	}
	b.readings[read] = struct{}{}
	return func(l *rollup) {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(b.readings, read)
		if l != nil && read.beside != nil && !slices.ContainsFunc(read.beside, func(s *showing) bool { return !l.bears(s) }) {
			r.keep(b, l)
		}
		r.drop(bucket)
	}
}

// keep remembers a listing, and forgets others where they become too many.
func (r *rollups) keep(b *rolled, l *rollup) {
	if l.size() > maxRolled {
		return
	}
	if old := b.lists[l.rollupName]; old != nil {
		r.forget(b, old)
	}
	b.lists[l.rollupName] = l
	r.held += l.size()
	for _, old := range b.lists {
		if old != l && len(b.lists) > maxRollups {
			r.forget(b, old)
		}
	}
	for bucket, other := range r.buckets {
		for _, old := range other.lists {
			if old != l && r.held > maxRolled {
				r.forget(other, old)
			}
		}
		if r.drop(bucket); r.held <= maxRolled {
			break
		}
	}
}

// size is about how many bytes of memory l takes.
func (l *rollup) size() int {
	n := 200 + len(l.prefix)
	for i, p := range l.prefixes {
		n += 32 + len(p) + len(l.witnesses[i])
	}
	return n
}
