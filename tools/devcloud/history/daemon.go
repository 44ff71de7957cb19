package history

import (
	"context"
	"slices"

	"karri/shared/fault"
	"karri/shared/life"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

// daemon is one that takes steps when it is told to. What open makes is lost
// in a crash.
type daemon struct {
	name  string
	open  func() ([]step, error)
	steps []step
	down  int // how often time must pass before it is started again; 0: it runs
}

// step is one thing that a daemon's goroutines do.
type step struct {
	name string
	do   func()
}

// work has a daemon take one step, in which it may crash.
func (w *world) work(d *daemon) {
	if d.down > 0 {
		return
	}
	s := pick(w, d.steps)
	if !lifetest.Burns(s.do) {
		return
	}
	w.fuse.Light(0)
	w.result.Crashes++
	d.down = w.rng.IntN(3)
	w.say("%s crashes in: %s; down for %d", d.name, s.name, d.down)
	if d.down == 0 {
		w.start(d)
	}
}

// start starts a daemon anew over what is on its disk.
func (w *world) start(d *daemon) {
	var err error
	d.down = 0
	if d.steps, err = d.open(); err != nil {
		w.wrong("%s cannot be started: %v", d.name, err)
	}
}

// settling returns the step that settles the things of a kind: some of them,
// in an order that the seed decides.
func settling[T any](w *world, k life.Kind[T]) step {
	return step{"settle " + k.Name, func() {
		names, err := k.List(w.ctx)
		if err != nil {
			return
		}
		slices.Sort(names)
		w.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			if err := k.Settle(w.ctx, name); err != nil && fault.KindOf(err) == fault.Broken {
				w.say("%v", err)
			}
		}
	}}
}

// peer is the way from one daemon to another.
type peer[O, R any] struct {
	w        *world
	from, to *daemon
	at       func() wire.Peer[O, R]
}

var away = fault.New(fault.Later, "PeerAway", "It does not answer.")

func (p peer[O, R]) cut() bool {
	return p.to.down > 0 || p.w.cut[[2]string{p.from.name, p.to.name}]
}

// Tell implements wire.Peer. What is told may come again, later.
func (p peer[O, R]) Tell(ctx context.Context, gen uint64, o O) error {
	if p.cut() {
		return away
	}
	p.w.fuse.Pass()
	if err := p.at().Tell(ctx, gen, o); err != nil {
		return err
	}
	p.w.fuse.Pass()
	p.w.late = append(p.w.late, func() error { return p.again(gen, o) })
	if p.w.flaky && p.w.chance(10) {
		p.w.say("the answer of %s to generation %d of %s is lost", p.to.name, gen, p.from.name)
		return away
	}
	return nil
}

// again delivers old orders once more: they must be refused, or be those that
// are in force.
func (p peer[O, R]) again(gen uint64, o O) error {
	if p.to.down > 0 {
		return nil
	}
	seen, err := p.at().Ask(p.w.ctx, 0)
	if err != nil {
		return err
	}
	err = p.at().Tell(p.w.ctx, gen, o)
	p.w.say("generation %d of %s comes to %s again, which is at %d: %v", gen, p.from.name, p.to.name, seen.Accepted, err)
	if gen < seen.Accepted && fault.CodeOf(err) != "OldGeneration" {
		p.w.wrong("%s took generation %d after %d", p.to.name, gen, seen.Accepted)
	}
	return nil
}

// Ask implements wire.Peer; it never waits.
func (p peer[O, R]) Ask(ctx context.Context, _ uint64) (wire.Seen[R], error) {
	if p.cut() || p.w.flaky && p.w.chance(5) {
		return wire.Seen[R]{}, away
	}
	return p.at().Ask(ctx, 0)
}
