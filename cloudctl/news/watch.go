package news

import (
	"context"
	"slices"
	"sync"
	"time"

	"karri/shared/events"
)

// Ring is the newest events that this process has heard, for those who watch.
// It is not on disk: who watches over a restart begins anew.
type Ring struct {
	Boot string // names this process, so that a place in an older ring is known

	mu   sync.Mutex
	list []events.Event
	next int64 // place of the event that comes next
	more chan struct{}
}

const ringSize = 4096

// Take is a subscription's.
func (r *Ring) Take(e events.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.list) >= ringSize {
		r.list = slices.Delete(r.list, 0, ringSize/4)
	}
	r.list = append(r.list, e)
	r.next++
	if r.more != nil {
		close(r.more)
		r.more = nil
	}
}

// A View is a part of the stream.
type View struct {
	Events []events.Event
	Next   int64 // the place behind
	Missed bool  // events between since and the first of these are gone
}

// After returns the events from the place since on that match a pattern; where
// there is none it waits. A since below 0 is the end of the stream.
func (r *Ring) After(ctx context.Context, since int64, pattern string, most int, wait time.Duration) (View, error) {
	if err := events.CheckPattern(pattern); err != nil {
		return View{}, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		v, more := r.look(&since, pattern, most)
		if len(v.Events) > 0 || v.Missed {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, nil
		case <-timer.C:
			return v, nil
		case <-more:
		}
	}
}

func (r *Ring) look(since *int64, pattern string, most int) (View, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.next - int64(len(r.list))
	v := View{Next: r.next, Missed: *since >= 0 && (*since < first || *since > r.next)}
	if *since < 0 {
		*since = r.next
	}
	if v.Missed {
		*since = first
	}
	for i := int(*since - first); i < len(r.list); i++ {
		if !events.Match(pattern, r.list[i].Subject) {
			continue
		}
		if len(v.Events) == most {
			v.Next = first + int64(i)
			break
		}
		v.Events = append(v.Events, r.list[i])
	}
	if r.more == nil {
		r.more = make(chan struct{})
	}
	return v, r.more
}
