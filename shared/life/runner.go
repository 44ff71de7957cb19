package life

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// A Status is what explain shows of one thing: what the loop last saw, did and
// is waiting for.
type Status struct {
	Looked time.Time `json:"looked"`          // when the loop last came by
	Step   string    `json:"step,omitempty"`  // the step that failed or is waited for; empty at rest
	Error  string    `json:"error,omitempty"` // why the step failed
	Tries  int       `json:"tries,omitempty"` // failures in a row
	Next   time.Time `json:"next,omitzero"`   // when it is tried again, if it failed
	Since  time.Time `json:"since,omitzero"`  // when the thing left its rest
	Late   bool      `json:"late,omitempty"`  // it has been away from rest for longer than Patience
}

// A Runner runs a Kind: one worker per thing at a time, at most Workers things
// at once, with back-off per thing after a failure. Set its fields before Run.
type Runner[T any] struct {
	Kind     Kind[T]
	Every    time.Duration // a full pass; 5 s when zero
	Workers  int           // 8 when zero
	Patience time.Duration // how long a thing may be away from rest before it is an alarm; 2 min when zero
	Log      *slog.Logger  // slog.Default when nil

	mu     sync.Mutex
	things map[string]*state
	wake   chan struct{}
	all    bool // a full pass is asked for
}

type state struct {
	Status
	busy  bool // a worker has it
	dirty bool // look at it (again)
}

const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 30 * time.Second
)

func (r *Runner[T]) init() {
	if r.things == nil {
		r.things, r.wake = map[string]*state{}, make(chan struct{}, 1)
	}
}

// Nudge asks for a look at the thing called id soon; without ids, at
// everything. It never blocks and may be called before Run.
func (r *Runner[T]) Nudge(ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.init()
	r.all = r.all || len(ids) == 0
	for _, id := range ids {
		r.thing(id).dirty = true
		r.thing(id).Next = time.Time{}
	}
	r.poke()
}

func (r *Runner[T]) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Runner[T]) thing(id string) *state {
	if r.things[id] == nil {
		r.things[id] = &state{}
	}
	return r.things[id]
}

// Status returns what the loop last saw of the thing called id, and whether it
// knows the thing at all.
func (r *Runner[T]) Status(id string) (Status, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.things[id]
	if s == nil || s.Looked.IsZero() {
		return Status{}, false
	}
	return s.Status, true
}

// Census returns how many things the loop knows, how many of them are away from
// rest, and how long ago the first of those left it.
func (r *Runner[T]) Census() (known, away int, longest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.things {
		if known++; !s.Since.IsZero() {
			away++
			longest = max(longest, time.Since(s.Since))
		}
	}
	return known, away, longest
}

// Run works until ctx ends and every worker has returned.
func (r *Runner[T]) Run(ctx context.Context) {
	r.mu.Lock()
	r.init()
	r.all = true
	r.mu.Unlock()
	every := orDefault(r.Every, 5*time.Second)
	slots := make(chan struct{}, orDefault(r.Workers, 8))
	var workers sync.WaitGroup
	defer workers.Wait()
	pass := time.NewTicker(every)
	defer pass.Stop()
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		if r.takeAll() {
			r.relist(ctx)
		}
		for _, id := range r.due(time.Now()) {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			workers.Go(func() {
				defer func() { <-slots }()
				r.work(ctx, id)
			})
		}
		retry.Reset(r.untilRetry(time.Now(), every))
		select {
		case <-ctx.Done():
			return
		case <-pass.C:
			r.Nudge()
		case <-r.wake:
		case <-retry.C:
		}
	}
}

func (r *Runner[T]) takeAll() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = false
	return all
}

// relist marks all that there is for a look, and forgets what is no more.
func (r *Runner[T]) relist(ctx context.Context) {
	ids, err := r.Kind.List(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.log().Error("cannot list", "kind", r.Kind.Name, "err", err)
		}
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	listed := make(map[string]bool, len(ids))
	for _, id := range ids {
		listed[id] = true
		r.thing(id).dirty = true
	}
	for id, s := range r.things {
		if !listed[id] && !s.busy {
			delete(r.things, id)
		}
	}
}

// due takes the things that a worker should look at now and marks them busy.
func (r *Runner[T]) due(now time.Time) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for id, s := range r.things {
		if s.dirty && !s.busy && !s.Next.After(now) {
			s.busy, s.dirty = true, false
			ids = append(ids, id)
		}
	}
	return ids
}

func (r *Runner[T]) untilRetry(now time.Time, most time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.things {
		if s.dirty && !s.busy && s.Next.After(now) {
			most = min(most, s.Next.Sub(now))
		}
	}
	return most
}

func (r *Runner[T]) work(ctx context.Context, id string) {
	step, err := r.Kind.settle(ctx, id)
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.thing(id)
	s.busy, s.Looked, s.Step, s.Error = false, now, step, ""
	switch {
	case err != nil && ctx.Err() != nil: // we are being shut down; the next start looks again
		return
	case err != nil:
		s.Tries++
		s.Error, s.Next, s.dirty = err.Error(), now.Add(backoff(s.Tries)), true
		r.log().Warn("step failed", "kind", r.Kind.Name, "id", id, "step", step, "tries", s.Tries, "err", err)
	default:
		s.Tries, s.Next = 0, time.Time{}
	}
	r.judge(id, s, now)
	r.poke()
}

// judge keeps Since and raises the alarm once when a thing is late.
func (r *Runner[T]) judge(id string, s *state, now time.Time) {
	if s.Step == "" && s.Error == "" {
		s.Since, s.Late = time.Time{}, false
		return
	}
	if s.Since.IsZero() {
		s.Since = now
	}
	if !s.Late && now.Sub(s.Since) > orDefault(r.Patience, 2*time.Minute) {
		s.Late = true
		r.log().Error("late", "kind", r.Kind.Name, "id", id, "step", s.Step, "since", s.Since, "err", s.Error)
	}
}

// backoff doubles from firstRetry to lastRetry, with jitter so that things
// that failed together do not come back together.
func backoff(tries int) time.Duration {
	d := min(firstRetry<<min(tries-1, 20), lastRetry)
	return d/2 + rand.N(d/2+1)
}

func (r *Runner[T]) log() *slog.Logger {
	if r.Log != nil {
		return r.Log
	}
	return slog.Default()
}

func orDefault[N int | time.Duration](n, d N) N {
	if n == 0 {
		return d
	}
	return n
}
