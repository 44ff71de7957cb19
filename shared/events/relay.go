package events

import (
	"context"
	"log/slog"
	"time"

	"karri/shared/crash"
)

// A Line is a row of an outbox: an event that was not told yet.
type Line struct {
	Seq   int64
	Event Event
}

// An Outbox holds the lines that were committed with the changes they tell of.
type Outbox interface {
	// Waiting returns up to max lines that were not told, about the oldest first.
	Waiting(ctx context.Context, max int) ([]Line, error)
	// Told takes lines out.
	Told(ctx context.Context, lines []Line) error
}

// A Relay tells what an outbox holds. Its fields are set before Run.
type Relay struct {
	Outbox Outbox
	Bus    Bus
	Log    *slog.Logger
	Every  time.Duration // how often it looks without a nudge; a second when zero

	wake chan struct{}
}

// NewRelay returns a relay that can be nudged.
func NewRelay(o Outbox, b Bus, log *slog.Logger) *Relay {
	return &Relay{Outbox: o, Bus: b, Log: log, wake: make(chan struct{}, 1)}
}

// Nudge says that there may be a line.
func (r *Relay) Nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// firstPause is after the first of some failures: there may be another server,
// which the bus has found by then.
const firstPause = 50 * time.Millisecond

// page is how many lines are told at once.
const page = 200

// Run tells lines until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	every := r.Every
	if every == 0 {
		every = time.Second
	}
	failing, fails := false, 0
	for ctx.Err() == nil {
		n, err := r.Step(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			r.Log.Warn("events cannot be told", "err", err)
		}
		if failing = err != nil; !failing && n == page {
			continue
		}
		wake := r.wake
		pause := every
		if failing {
			wake = nil // nudges do not make the server come back
			pause = min(every, firstPause<<min(fails, 10))
			fails++
		} else {
			fails = 0
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-time.After(pause):
		}
	}
	return nil
}

// Step tells the next lines and returns how many they were.
func (r *Relay) Step(ctx context.Context) (int, error) {
	lines, err := r.Outbox.Waiting(ctx, page)
	if err != nil || len(lines) == 0 {
		return 0, err
	}
	var list []Event
	for _, l := range lines {
		if err := l.Event.check(); err != nil {
			r.Log.Error("an event that nobody can hear is dropped", "id", l.Event.ID, "err", err)
			continue
		}
		list = append(list, l.Event)
	}
	if err := r.Bus.Publish(ctx, list...); err != nil {
		return 0, err
	}
	crash.Here("events.relay.published")
	return len(lines), r.Outbox.Told(ctx, lines)
}
