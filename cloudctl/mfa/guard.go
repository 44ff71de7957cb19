package mfa

import (
	"sync"
	"time"
)

const (
	maxWrong   = 10 // codes in a row
	shutFor    = 5 * time.Minute
	maxGuarded = 10_000
)

// A guard keeps codes from being guessed: after too many wrong ones none is
// taken for a while. It is in memory alone; a start of the daemon forgets it.
type guard struct {
	mu    sync.Mutex
	wrong map[string]tries // by serial number
}

type tries struct {
	n    int
	last time.Time
}

var guessing guard

// shut reports whether codes of a device are not looked at now.
func (g *guard) shut(serial string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.wrong[serial]
	return t.n >= maxWrong && now.Sub(t.last) < shutFor
}

// note counts a wrong code, and forgets the wrong ones after a good one.
func (g *guard) note(serial string, good bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if good {
		delete(g.wrong, serial)
		return
	}
	if g.wrong == nil || len(g.wrong) >= maxGuarded {
		g.wrong = map[string]tries{}
	}
	t := g.wrong[serial]
	if now.Sub(t.last) >= shutFor {
		t.n = 0
	}
	g.wrong[serial] = tries{t.n + 1, now}
}
