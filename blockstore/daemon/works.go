package daemon

import (
	"context"
	"log/slog"
	"time"

	"karri/blockstore/keep"
	"karri/shared/life"
	"karri/shared/service"
	"karri/shared/wire"
)

// works runs the loops and shows what they see.
type works struct {
	keeper *keep.Keeper
	book   *wire.Book[wire.BlockOrders]
	board  *wire.Board[wire.BlockReport]
	s      *service.Service
	loops  map[string]runner
	poked  chan struct{}
}

// runner is a life.Runner of any kind.
type runner interface {
	Run(ctx context.Context)
	Nudge(ids ...string)
	Status(id string) (life.Status, bool)
}

func loop[T any](k life.Kind[T], workers int, log *slog.Logger) *life.Runner[T] {
	return &life.Runner[T]{Kind: k, Workers: workers, Log: log}
}

// watch is how soon a storage daemon that died is started again: a guest waits.
const watch = time.Second

// uploads is how many snapshots are on their way to walrus at once.
const uploads = 4

func newWorks(k *keep.Keeper, book *wire.Book[wire.BlockOrders], s *service.Service) *works {
	w := &works{keeper: k, book: book, board: wire.NewBoard[wire.BlockReport](), s: s, poked: make(chan struct{}, 1)}
	k.Nudge = func() {
		select {
		case w.poked <- struct{}{}:
		default:
		}
	}
	exports := loop(k.Exports(), 8, s.Log)
	exports.Every = watch
	w.loops = map[string]runner{
		"volume":   loop(k.Volumes(), 8, s.Log),
		"export":   exports,
		"freeze":   loop(k.Freezes(), 8, s.Log),
		"snapshot": loop(k.Snapshots(), uploads, s.Log),
		"sweep":    loop(k.Sweeps(), 1, s.Log),
	}
	return w
}

func (w *works) start() {
	for name, l := range w.loops {
		w.s.Go(name, func(ctx context.Context) error {
			l.Run(ctx)
			return nil
		})
	}
	w.s.Go("orders", w.watchOrders)
	w.s.Go("report", w.report)
}

func (w *works) nudge() {
	for _, l := range w.loops {
		l.Nudge()
	}
}

// watchOrders wakes the loops for new orders.
func (w *works) watchOrders(ctx context.Context) error {
	for {
		changed := w.book.Changed()
		w.nudge()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

const (
	calm   = 100 * time.Millisecond // between two reports at least
	silent = 2 * time.Second        // and at most
)

// report shows what is seen, soon after each step; what one loop did may be
// what another waits for, so all are woken too.
func (w *works) report(ctx context.Context) error {
	tick := time.NewTicker(silent)
	defer tick.Stop()
	for {
		if err := w.publish(ctx); err != nil && ctx.Err() == nil {
			w.s.Log.Error("cannot report", "err", err)
		}
		select {
		case <-w.poked:
			w.nudge()
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		select {
		case <-time.After(calm):
		case <-ctx.Done():
			return nil
		}
	}
}

func (w *works) publish(ctx context.Context) error {
	r, err := w.keeper.Report(ctx, w.status)
	if err != nil {
		return err
	}
	seen, err := room(w.s.State)
	if err != nil {
		seen.Trouble = err.Error()
	}
	r.Store[w.keeper.Zone] = seen
	_, err = w.board.Publish(r)
	return err
}

// status is keep.Flow.
func (w *works) status(kind, id string) life.Status {
	s, _ := w.loops[kind].Status(id)
	return s
}

func (w *works) explain(ctx context.Context, id string) (wire.Explanation, error) {
	return w.keeper.Explain(ctx, id, w.status)
}
