package events

import (
	"context"
	"sync"
)

// Memory is the Bus of one process.
type Memory struct {
	mu     sync.Mutex
	subs   map[*subscription]bool
	closed bool
	gaps   []func()
}

// NewMemory returns a bus that ends with its process.
func NewMemory() *Memory { return &Memory{subs: map[*subscription]bool{}} }

// subscription is a listener with what waits for it.
type subscription struct {
	pattern string
	mu      sync.Mutex
	waiting []Event
	wake    chan struct{}
	ended   chan struct{}
	stopped sync.Once
	quit    chan struct{}
}

// most is how many events wait for a listener that is slow; it misses more,
// and is told that there is a gap.
const most = 10_000

// Publish is Bus's.
func (m *Memory) Publish(ctx context.Context, list ...Event) error {
	for _, e := range list {
		if err := e.check(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	gap := false
	for s := range m.subs {
		for _, e := range list {
			if Match(s.pattern, e.Subject) {
				gap = !s.add(e) || gap
			}
		}
	}
	if gap {
		for _, f := range m.gaps {
			go f()
		}
	}
	return nil
}

func (s *subscription) add(e Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= most {
		return false
	}
	s.waiting = append(s.waiting, e)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return true
}

func (s *subscription) run(f func(Event)) {
	defer close(s.ended)
	for {
		select {
		case <-s.quit:
			return
		case <-s.wake:
		}
		s.mu.Lock()
		list := s.waiting
		s.waiting = nil
		s.mu.Unlock()
		for _, e := range list {
			f(e)
		}
	}
}

// Subscribe is Bus's.
func (m *Memory) Subscribe(pattern string, f func(Event)) (stop func(), err error) {
	if err := CheckPattern(pattern); err != nil {
		return nil, err
	}
	s := &subscription{pattern: pattern, wake: make(chan struct{}, 1), ended: make(chan struct{}), quit: make(chan struct{})}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subs[s] = true
	go s.run(f)
	return func() {
		m.mu.Lock()
		delete(m.subs, s)
		m.mu.Unlock()
		s.stopped.Do(func() { close(s.quit) })
	}, nil
}

// OnGap is Bus's.
func (m *Memory) OnGap(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gaps = append(m.gaps, f)
}

// Connected is Bus's.
func (m *Memory) Connected() bool { return true }

// Close is Bus's.
func (m *Memory) Close() {
	m.mu.Lock()
	subs := m.subs
	m.subs = map[*subscription]bool{}
	m.mu.Unlock()
	for s := range subs {
		s.stopped.Do(func() { close(s.quit) })
		<-s.ended
	}
}
