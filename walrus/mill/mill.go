// Package mill works off what walrus has left to do after it has answered.
//
// A row that ends leaves a line in the outbox, in the same batch, that names
// the pieces it claimed. For each line the mill looks which of them nobody
// claims any more and nobody in this process still reads, waits until what it
// saw is on disk, removes their bytes, and then forgets the line. Every step may be done twice: a crash costs
// another look. A piece without a claim never gets one again (package index),
// so what was found to be rubbish stays rubbish.
//
// A put that died between its bytes and its row leaves bytes and no line.
// Orphans finds them: older than a bound, claimed by no row and by no part of
// an open upload, held by nobody.
package mill

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/life"
	"karri/walrus/content"
	"karri/walrus/index"
)

// Mill is the mill of one walrus.
type Mill struct {
	Index   index.Outbox
	Content content.Engine
	Holds   *content.Holds
	Log     *slog.Logger
	// OrphanAge is how old bytes must be before they can be orphans; an hour
	// when zero. Between its bytes and its row a put takes a moment.
	OrphanAge time.Duration
	// OrphanMost is how many orphans are removed at once; 1000 when zero. A crash
	// leaves no more than there were puts under way. More of them mean that the
	// index is older than the bytes, restored from a backup: they are left.
	OrphanMost int
	// ReadTime is how old a line must be before it is worked off. Where other
	// processes share the index, they may be reading what it frees.
	ReadTime time.Duration
	// Every is how often orphans are looked for; an hour when zero.
	Every time.Duration

	runner life.Runner[line]
}

// A line is what is known of one line of the outbox.
type line struct {
	index.Line
	rubbish []index.Piece
	busy    int // pieces that someone still reads
	gone    bool
}

// batch is how many lines are looked at in one pass.
const batch = 1000

// Lines is the loop that works off the outbox.
func (m *Mill) Lines() life.Kind[line] {
	return life.Kind[line]{Name: "outbox line", List: m.list, Look: m.look, Next: m.next}
}

func (m *Mill) list(ctx context.Context) ([]string, error) {
	lines, err := m.Index.Lines(ctx, batch)
	ids := make([]string, 0, len(lines))
	for _, l := range lines {
		if time.Since(l.Made()) < m.ReadTime {
			break
		}
		ids = append(ids, strconv.FormatUint(l.Seq, 10))
	}
	return ids, err
}

func (m *Mill) look(ctx context.Context, id string) (line, error) {
	seq, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return line{}, err
	}
	l := line{}
	l.Line, err = m.Index.Line(ctx, seq)
	if fault.CodeOf(err) == index.NoSuchLine.Code {
		return line{gone: true}, nil
	}
	if err != nil {
		return l, err
	}
	for _, p := range l.Free {
		if m.Holds.Held(p.ID) { // asked first: what is held may be about to be claimed
			l.busy++
			continue
		}
		claimed, err := m.Index.Claimed(ctx, p.ID)
		if err != nil {
			return l, err
		}
		if !claimed {
			l.rubbish = append(l.rubbish, p)
		}
	}
	return l, nil
}

func (m *Mill) next(l line) *life.Step[line] {
	switch {
	case l.gone:
		return nil
	case l.busy > 0:
		return life.Wait[line]("%d pieces are still being read", l.busy)
	}
	return &life.Step[line]{Name: "remove bytes", Do: m.remove}
}

// remove removes the bytes, then the line that tells of them.
func (m *Mill) remove(ctx context.Context, l line) error {
	if err := m.Index.Durable(ctx); err != nil {
		return err
	}
	var inline []string
	for _, p := range l.rubbish {
		if p.Inline {
			inline = append(inline, p.ID)
		} else if err := m.Content.Remove(ctx, p.ID); err != nil {
			return err
		}
	}
	crash.Here("walrus.mill.removed")
	return m.Index.Done(ctx, l.Seq, inline)
}

// Nudge says that there may be lines.
func (m *Mill) Nudge() { m.runner.Nudge() }

// Census is life.Runner's.
func (m *Mill) Census() (known, away int, longest time.Duration) { return m.runner.Census() }

// Run works until ctx ends. What an earlier process began and never committed
// is swept first.
func (m *Mill) Run(ctx context.Context) error {
	if n, err := m.Content.Sweep(ctx); err != nil {
		return fmt.Errorf("sweep: %w", err)
	} else if n > 0 {
		m.log().Info("swept what was begun and not committed", "pieces", n)
	}
	m.runner.Kind, m.runner.Log = m.Lines(), m.log()
	m.runner.Patience = 24 * time.Hour // a long read of what has been replaced is no alarm
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.runner.Run(ctx)
	}()
	defer func() { <-done }()
	tick := time.NewTicker(cmp.Or(m.Every, time.Hour))
	defer tick.Stop()
	for {
		if n, err := m.Orphans(ctx, time.Now()); err != nil && ctx.Err() == nil {
			m.log().Error("cannot look for orphans", "err", err)
		} else if n > 0 {
			m.log().Info("removed bytes that nothing claims", "pieces", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Orphans removes pieces that were made OrphanAge before now and that nothing
// claims, and returns how many. When there are more than OrphanMost, it removes
// none and fails.
func (m *Mill) Orphans(ctx context.Context, now time.Time) (int, error) {
	age, most := cmp.Or(m.OrphanAge, time.Hour), cmp.Or(m.OrphanMost, 1000)
	var orphans []string
	err := m.Content.List(ctx, func(i content.Info) error {
		if now.Sub(i.Made) < age || m.Holds.Held(i.ID) {
			return nil
		}
		claimed, err := m.Index.Claimed(ctx, i.ID)
		if err != nil || claimed {
			return err
		}
		if orphans = append(orphans, i.ID); len(orphans) > most {
			return TooManyOrphans
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if err := m.Index.Durable(ctx); err != nil {
		return 0, err
	}
	for n, id := range orphans {
		if err := m.Content.Remove(ctx, id); err != nil {
			return n, err
		}
	}
	return len(orphans), nil
}

// TooManyOrphans is what Orphans answers when it does not dare.
var TooManyOrphans = fault.New(fault.Conflict, "TooManyOrphans", "There are more bytes without an object than a crash leaves. Nothing of it was removed: the index may be older than the content. If it is right, raise --orphan-most for one start.")

func (m *Mill) log() *slog.Logger {
	if m.Log != nil {
		return m.Log
	}
	return slog.Default()
}
