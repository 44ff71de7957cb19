// Package courier carries events from the index's outbox to where they belong.
//
// Each queue of the outbox is one destination, looked after by a life.Kind. A
// pass reads what the queue holds, splits it into lanes by bucket and key, and
// works lanes side by side, each in its order: what is later in a lane waits for
// what is before it. An event is forgotten after it was carried; a crash in
// between carries it once more, so whoever receives must bear that. A lane that
// fails waits by itself while others go on; when nothing gets through at all the
// whole queue waits. What could not be carried for too long is given up and
// handed to Dead, so that a lane does not stand for ever.
package courier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"karri/shared/crash"
	"karri/shared/life"
	"karri/walrus/index"
)

// Outbox is what a courier needs of the index.
type Outbox interface {
	Queues(ctx context.Context) ([]index.Queue, error)
	Events(ctx context.Context, queue string, after uint64, max int) ([]index.Event, error)
	EventsDone(ctx context.Context, queue string, seqs ...uint64) error
}

// Courier carries the events of all queues whose names begin with Class and a
// space. Its fields are set before it is used.
type Courier struct {
	Class  string // "event"
	Outbox Outbox
	Send   func(ctx context.Context, to string, e index.Event) error
	Dead   func(ctx context.Context, to string, e index.Event, err error) error // may be nil
	Keep   time.Duration                                                        // how old an event becomes before it is given up; a day when zero
	Now    func() time.Time                                                     // nil: time.Now
	Log    *slog.Logger
	// Count is told of each event what became of it: "sent", "failed" or "dead".
	Count func(to, what string)

	runner life.Runner[load]
	mu     sync.Mutex
	lanes  map[laneID]*lane // that failed
}

// Queue returns the name of the queue of a class to a destination.
func Queue(class, to string) string { return class + " " + to }

type laneID struct{ queue, bucket, key string }

type lane struct {
	tries int
	next  time.Time
}

// A load is what a pass finds to carry.
type load struct {
	queue   string
	events  []index.Event
	waiting int // in lanes that failed a moment ago
}

const (
	page    = 500
	most    = 10_000 // events that a pass looks through behind lanes that wait
	beside  = 8
	longest = 5 * time.Minute
)

// Kind is the loop over the queues.
func (c *Courier) Kind() life.Kind[load] {
	return life.Kind[load]{Name: c.Class + " queue", List: c.list, Look: c.look, Next: c.next}
}

func (c *Courier) list(ctx context.Context) ([]string, error) {
	all, err := c.Outbox.Queues(ctx)
	var ids []string
	for _, q := range all {
		if strings.HasPrefix(q.Name, c.Class+" ") {
			ids = append(ids, q.Name)
		}
	}
	return ids, err
}

func (c *Courier) look(ctx context.Context, queue string) (load, error) {
	l, now := load{queue: queue}, c.now()
	after := uint64(0)
	for seen := 0; seen < most && len(l.events) == 0; {
		events, err := c.Outbox.Events(ctx, queue, after, page)
		if err != nil {
			return l, err
		}
		for _, e := range events {
			if c.waits(queue, e, now) {
				l.waiting++
			} else {
				l.events = append(l.events, e)
			}
			after = e.Seq
		}
		if seen += len(events); len(events) < page {
			break
		}
	}
	return l, nil
}

func (c *Courier) waits(queue string, e index.Event, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lanes[laneID{queue, e.Bucket, e.Key}]
	return l != nil && now.Before(l.next)
}

func (c *Courier) next(l load) *life.Step[load] {
	switch {
	case len(l.events) > 0:
		return &life.Step[load]{Name: "carry", Do: c.carry}
	case l.waiting > 0:
		return life.Wait[load]("%d events that could not be delivered a moment ago", l.waiting)
	}
	return nil
}

// carry works off the lanes of a load.
func (c *Courier) carry(ctx context.Context, l load) error {
	var order []laneID
	lanes := map[laneID][]index.Event{}
	for _, e := range l.events {
		id := laneID{l.queue, e.Bucket, e.Key}
		if lanes[id] == nil {
			order = append(order, id)
		}
		lanes[id] = append(lanes[id], e)
	}
	var workers sync.WaitGroup
	var mu sync.Mutex
	var done []uint64
	failed := map[laneID]error{}
	work := make(chan laneID)
	for range min(beside, len(order)) {
		workers.Go(func() {
			for id := range work {
				carried, err := c.through(ctx, id, lanes[id])
				mu.Lock()
				if done = append(done, carried...); err != nil {
					failed[id] = err
				}
				mu.Unlock()
			}
		})
	}
	for _, id := range order {
		work <- id
	}
	close(work)
	workers.Wait()
	crash.Here("walrus.courier.carried")
	if len(done) > 0 {
		if err := c.Outbox.EventsDone(ctx, l.queue, done...); err != nil {
			return err
		}
	}
	return c.judge(order, failed, len(done) > 0)
}

// judge lets lanes that failed wait, each for itself when others got through.
func (c *Courier) judge(order []laneID, failed map[laneID]error, progress bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lanes == nil {
		c.lanes = map[laneID]*lane{}
	}
	var first error
	for _, id := range order {
		err := failed[id]
		if err == nil {
			delete(c.lanes, id)
			continue
		}
		first = cmp.Or(first, err)
		if !progress {
			continue
		}
		if c.lanes[id] == nil {
			c.lanes[id] = &lane{}
		}
		l := c.lanes[id]
		l.tries++
		l.next = c.now().Add(min(time.Second<<min(l.tries-1, 20), longest))
	}
	if progress {
		return nil
	}
	return first
}

// through carries the events of one lane until one fails, and returns those
// that need not be carried any more.
func (c *Courier) through(ctx context.Context, id laneID, events []index.Event) (done []uint64, err error) {
	to := strings.TrimPrefix(id.queue, c.Class+" ")
	for _, e := range events {
		if err := c.Send(ctx, to, e); err != nil {
			if ctx.Err() != nil {
				return done, err
			}
			if c.now().Sub(e.Time) < cmp.Or(c.Keep, 24*time.Hour) && !errors.Is(err, Hopeless) {
				c.count(to, "failed")
				return done, fmt.Errorf("%s of %s/%s: %w", e.Name, e.Bucket, e.Key, err)
			}
			if c.Dead != nil {
				if err := c.Dead(ctx, to, e, err); err != nil {
					return done, err
				}
			}
			c.count(to, "dead")
		} else {
			c.count(to, "sent")
		}
		done = append(done, e.Seq)
	}
	return done, nil
}

// Hopeless is wrapped by errors of Send that no other try will change.
var Hopeless = errors.New("it will never be otherwise")

// Nudge says that there may be events.
func (c *Courier) Nudge() { c.runner.Nudge() }

// Census is life.Runner's.
func (c *Courier) Census() (known, away int, longest time.Duration) { return c.runner.Census() }

// Run works until ctx ends, looking at least every so often.
func (c *Courier) Run(ctx context.Context, every time.Duration) error {
	c.runner.Kind, c.runner.Log, c.runner.Every = c.Kind(), c.Log, every
	c.runner.Patience = time.Hour // whoever receives may be away; the queue's age is among the metrics
	c.runner.Run(ctx)
	return nil
}

func (c *Courier) count(to, what string) {
	if c.Count != nil {
		c.Count(to, what)
	}
}

func (c *Courier) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
