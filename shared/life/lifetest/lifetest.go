// Package lifetest kills a loop at every place where it can be killed.
//
// A fake world passes a Fuse before and after each change it makes. Everywhere
// burns the fuse at the first such point, starts the loop anew over the same
// world as after a restart, and checks; then at the second point, and so on
// until a run passes without a crash.
package lifetest

import (
	"sync"
	"testing"
)

// A Fuse burns at the n-th point it passes. The zero Fuse never burns; a nil
// one is fine too. It may be passed by several goroutines, but it can only
// stop the one that burns it.
type Fuse struct {
	mu     sync.Mutex
	left   int
	passed int
}

type crash struct{}

// Light makes the fuse burn at the n-th point from now; 0: at none.
func (f *Fuse) Light(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = n
}

// Pass panics if the fuse burns here.
func (f *Fuse) Pass() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed++
	if f.left--; f.left == 0 {
		panic(crash{})
	}
}

// Around passes the fuse before and after a change.
func (f *Fuse) Around(change func()) {
	f.Pass()
	change()
	f.Pass()
}

// Passed returns how many points were passed.
func (f *Fuse) Passed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.passed
}

// Everywhere runs build with a fresh world for each point, crashes run there,
// runs it again as after a restart, and checks. It returns the number of crashes.
func Everywhere(t testing.TB, build func(*Fuse) (run func() error, check func(testing.TB))) int {
	t.Helper()
	for n := 1; ; n++ {
		fuse := &Fuse{left: n}
		run, check := build(fuse)
		crashed := Burns(func() { _ = run() })
		fuse.Light(0)
		if err := run(); err != nil {
			t.Fatalf("after crash %d: %v", n, err)
		}
		check(t)
		if !crashed {
			return n - 1
		}
	}
}

// Burns runs run and reports whether a fuse burnt and ended it.
func Burns(run func()) (crashed bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
			crashed = true
		}
	}()
	run()
	return false
}
