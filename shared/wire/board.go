package wire

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// history is how many versions of a report can be the base of a difference.
const history = 64

// A Board shows the newest report to those who ask. Versions begin at a number
// made of the time, so that a version of before a restart is never taken for
// one of after it. A report is seen anew by looking, so nothing is on disk.
type Board[Report any] struct {
	mu      sync.Mutex
	version uint64
	doc     doc
	sum     string
	report  Report
	past    []posted // the versions before, oldest first
	changed chan struct{}
}

type posted struct {
	version uint64
	sum     string
	doc     doc
}

// NewBoard returns a board with an empty report.
func NewBoard[Report any]() *Board[Report] {
	b := &Board[Report]{version: uint64(time.Now().UnixMilli())<<20 | rand.Uint64N(1<<20), doc: doc{}, changed: make(chan struct{})}
	b.sum = b.doc.sum()
	return b
}

// Publish shows r from now on. It tells whether r differs from what was shown.
// The caller does not change what r holds afterwards.
func (b *Board[Report]) Publish(r Report) (bool, error) {
	d, err := toDoc(r)
	if err != nil {
		return false, err
	}
	sum := d.sum()
	b.mu.Lock()
	defer b.mu.Unlock()
	if sum == b.sum {
		return false, nil
	}
	b.past = append(b.past, posted{b.version, b.sum, b.doc})
	if len(b.past) > history {
		b.past = append([]posted(nil), b.past[1:]...)
	}
	b.version++
	b.doc, b.sum, b.report = d, sum, r
	close(b.changed)
	b.changed = make(chan struct{})
	return true, nil
}

// Wait returns when the version is no longer since, or ctx or stop ends.
func (b *Board[Report]) Wait(ctx context.Context, since uint64, stop <-chan struct{}) {
	for {
		b.mu.Lock()
		version, changed := b.version, b.changed
		b.mu.Unlock()
		if since == 0 || version != since {
			return
		}
		select {
		case <-changed:
		case <-stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Report returns what is shown, and its version.
func (b *Board[Report]) Report() (Report, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.report, b.version
}

// since returns the change from version base to what is shown; the whole when
// base is not known.
func (b *Board[Report]) since(base uint64) (Change, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if base == b.version {
		return b.doc.diff(b.sum, b.doc), b.version
	}
	for _, p := range b.past {
		if p.version == base {
			return p.doc.diff(p.sum, b.doc), b.version
		}
	}
	return doc(nil).diff("", b.doc), b.version
}
