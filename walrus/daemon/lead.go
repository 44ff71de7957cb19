package daemon

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"karri/walrus/content"
	"karri/walrus/index"
)

// A lead is the right to run the loops of which there must be one, where several
// walruses share an index: events would come twice otherwise, and out of order.
// It is a mark that its holder renews. One that dies loses it after a while; one
// that cannot renew it ends its loops before others may take it.
type lead struct {
	marks index.Marks
	me    string
	log   *slog.Logger
	held  []byte // the mark as we wrote it
}

type claim struct {
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
}

const (
	term   = time.Minute      // how long a claim holds
	renews = 15 * time.Second // how often it is renewed
	margin = 15 * time.Second // how long before its end the loops end
	leadBy = "lead"
)

func newLead(marks index.Marks, log *slog.Logger) *lead {
	return &lead{marks: marks, me: content.NewID(), log: log}
}

// take claims the lead, or renews the claim, and reports whether it is ours.
func (l *lead) take(ctx context.Context, now time.Time) (bool, error) {
	there, err := l.marks.Mark(ctx, leadBy)
	if err != nil {
		return false, err
	}
	if there != nil {
		var c claim
		if err := json.Unmarshal(there, &c); err != nil {
			return false, index.Damaged.Because(err)
		}
		if c.Holder != l.me && now.Before(c.Until) {
			return false, nil
		}
	}
	mine, err := json.Marshal(claim{l.me, now.Add(term).UTC()})
	if err != nil {
		return false, err
	}
	if err := l.marks.SetMark(ctx, leadBy, there, mine); err != nil {
		if err == index.Moved {
			return false, nil
		}
		return false, err
	}
	l.held = mine
	return true, nil
}

// yield gives the lead up, so that another need not wait.
func (l *lead) yield(ctx context.Context) {
	if l.held != nil {
		_ = l.marks.SetMark(ctx, leadBy, l.held, nil) // else it runs out
	}
}

// run runs loops while the lead is ours, until ctx ends.
func (l *lead) run(ctx context.Context, loops ...func(context.Context) error) error {
	for ctx.Err() == nil {
		ours, err := l.take(ctx, time.Now())
		if err != nil && ctx.Err() == nil {
			l.log.Error("cannot claim the lead", "err", err)
		}
		if ours {
			l.hold(ctx, loops)
			continue
		}
		pause(ctx, renews)
	}
	return nil
}

// hold runs loops until the lead is lost or ctx ends.
func (l *lead) hold(ctx context.Context, loops []func(context.Context) error) {
	running, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, f := range loops {
		all.Go(func() {
			if err := f(running); err != nil && running.Err() == nil {
				l.log.Error("a loop ended", "err", err)
				stop()
			}
		})
	}
	last := time.Now()
	for running.Err() == nil && time.Since(last) < term-margin {
		pause(running, renews)
		now := time.Now()
		switch ours, err := l.take(running, now); {
		case ours:
			last = now
		case err == nil:
			stop()
		}
	}
	stop()
	all.Wait()
	l.yield(context.WithoutCancel(ctx))
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
