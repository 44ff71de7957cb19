package life

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// jar holds things that want to grow to a size, one step at a time.
type jar struct {
	mu   sync.Mutex
	size map[string]int
	want int
	fail error
}

type pot struct {
	id         string
	size, want int
}

func (j *jar) kind() Kind[pot] {
	return Kind[pot]{
		Name: "pot",
		List: func(context.Context) ([]string, error) {
			j.mu.Lock()
			defer j.mu.Unlock()
			var ids []string
			for id := range j.size {
				ids = append(ids, id)
			}
			return ids, nil
		},
		Look: func(_ context.Context, id string) (pot, error) {
			j.mu.Lock()
			defer j.mu.Unlock()
			return pot{id, j.size[id], j.want}, nil
		},
		Next: func(p pot) *Step[pot] {
			if p.size == p.want {
				return nil
			}
			if p.want < 0 {
				return Wait[pot]("someone to want %s", p.id)
			}
			return &Step[pot]{Name: "grow", Do: j.grow}
		},
	}
}

func (j *jar) grow(_ context.Context, p pot) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail != nil {
		return j.fail
	}
	j.size[p.id]++
	return nil
}

func (j *jar) get(id string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size[id]
}

func (j *jar) set(want int, fail error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.want, j.fail = want, fail
}

func start[T any](t *testing.T, r *Runner[T]) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

func TestThingsComeToRestAndAgainAfterANudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jar{size: map[string]int{"a": 0, "b": 2}, want: 3}
		r := &Runner[pot]{Kind: j.kind(), Every: time.Hour}
		start(t, r)
		synctest.Wait()
		if j.get("a") != 3 || j.get("b") != 3 {
			t.Fatalf("sizes %v", j.size)
		}
		j.set(5, nil)
		r.Nudge("a")
		synctest.Wait()
		if j.get("a") != 5 || j.get("b") != 3 {
			t.Errorf("after a nudge for a: %v", j.size)
		}
		time.Sleep(time.Hour + time.Second) // a lost nudge costs time, never truth
		synctest.Wait()
		if j.get("b") != 5 {
			t.Errorf("after a full pass: %v", j.size)
		}
	})
}

func TestAFailureIsShownRetriedAndBecomesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jar{size: map[string]int{"a": 0}, want: 1, fail: errors.New("no clay")}
		r := &Runner[pot]{Kind: j.kind(), Every: time.Minute, Patience: 10 * time.Second}
		start(t, r)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		s, ok := r.Status("a")
		if !ok || s.Step != "grow" || s.Tries < 5 || !s.Late || s.Error != "pot a: grow: no clay" || s.Next.IsZero() {
			t.Fatalf("status %+v, %v", s, ok)
		}
		j.set(1, nil)
		time.Sleep(lastRetry)
		synctest.Wait()
		if s, _ := r.Status("a"); s.Step != "" || s.Late || s.Tries != 0 || j.get("a") != 1 {
			t.Errorf("after the cure: %+v, size %d", s, j.get("a"))
		}
	})
}

func TestWaitingIsSaidAndIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jar{size: map[string]int{"a": 0}, want: -1}
		r := &Runner[pot]{Kind: j.kind(), Every: time.Hour}
		start(t, r)
		synctest.Wait()
		if s, _ := r.Status("a"); s.Step != "someone to want a" || s.Error != "" || s.Tries != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestANextThatNeverRestsIsAnError(t *testing.T) {
	k := Kind[int]{
		Name: "top",
		Look: func(context.Context, string) (int, error) { return 0, nil },
		Next: func(int) *Step[int] {
			return &Step[int]{Name: "spin", Do: func(context.Context, int) error { return nil }}
		},
	}
	if err := k.Settle(t.Context(), "x"); err == nil {
		t.Error("want an error")
	}
}
