package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"karri/shared/sign"
)

// A side is one of the endpoints.
type side struct {
	name string
	host string
	keys sign.Credentials
	pids []int
	next map[string]int // the number of the next object that a row makes
	rate map[string]float64
}

// A worker does one operation after the other.
type worker struct {
	side   *side
	conn   *conn
	answer bytes.Buffer
	at     int    // of a walk: the next key
	token  string // of a walk: how to go on
}

func (s *side) worker(ctx context.Context) (*worker, error) {
	c, err := s.dial(ctx)
	return &worker{side: s, conn: c}, err
}

type bench struct {
	settings
	only    *regexp.Regexp
	levels  []int
	sides   []*side
	stops   []func()
	again   func() error // kills walrus and starts it again
	lines   []line
	ends    []end
	startup time.Duration
}

// measure runs all rows.
func (b *bench) measure(ctx context.Context) error {
	var chosen []*row
	for _, r := range rows(b.Keys) {
		if b.only.MatchString(r.name) {
			chosen = append(chosen, r)
		}
	}
	for _, s := range b.sides {
		b.say("filling %s", s.name)
		if err := b.fill(ctx, s, chosen); err != nil {
			return err
		}
	}
	for _, r := range chosen {
		for _, c := range b.levels {
			l, err := b.row(ctx, r, c)
			if err != nil {
				return fmt.Errorf("%s at %d: %w", r.name, c, err)
			}
			b.lines = append(b.lines, l)
			b.say("%s", strings.TrimSpace(l.String()))
		}
	}
	return nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// row measures one row on all sides.
func (b *bench) row(ctx context.Context, r *row, level int) (line, error) {
	l := line{Row: r.name, Concurrency: level}
	got := make([][]figures, len(b.sides))
	for round := range b.Rounds {
		for k := range b.sides {
			i := (k + round) % len(b.sides)
			f, err := b.round(ctx, b.sides[i], r, level)
			if err != nil {
				return l, fmt.Errorf("%s: %w", b.sides[i].name, err)
			}
			got[i] = append(got[i], f)
		}
	}
	for i, s := range b.sides {
		f := median(got[i])
		f.Side = s.name
		l.Sides = append(l.Sides, f)
	}
	return l, nil
}

// round measures one round on one side.
func (b *bench) round(ctx context.Context, s *side, r *row, level int) (figures, error) {
	id := fmt.Sprint(r.name, level)
	if s.rate[id] == 0 { // how many are to be prepared is not known yet
		f, err := b.volley(ctx, s, r, level, 2*level)
		if err != nil {
			return f, err
		}
		s.rate[id] = f.Rate
		if f, err = b.volley(ctx, s, r, level, max(2*level, min(20_000, int(f.Rate/5)))); err != nil {
			return f, err
		}
		s.rate[id] = f.Rate
	}
	f, err := b.volley(ctx, s, r, level, max(2*level, min(60_000, int(s.rate[id]*b.Time.Seconds()))))
	if err == nil {
		s.rate[id] = f.Rate
	}
	return f, err
}

// volley does n operations and says what they took.
func (b *bench) volley(ctx context.Context, s *side, r *row, level, n int) (f figures, err error) {
	first := 0
	if r.leaves {
		first = s.next[r.name]
		s.next[r.name] += n
	}
	var shots []*shot
	if r.shot != nil {
		shots = make([]*shot, n)
		for i := range shots {
			if shots[i], err = r.shot(s, first+i); err != nil {
				return f, err
			}
		}
	}
	workers := make([]*worker, level)
	for i := range workers {
		if workers[i], err = s.worker(ctx); err != nil {
			return f, err
		}
		defer workers[i].conn.Close()
	}
	if err := b.settle(ctx); err != nil {
		return f, err
	}
	took := make([]time.Duration, n)
	before, start := s.cpu(), time.Now()
	g := new(errgroup.Group)
	for i, w := range workers {
		g.Go(func() error {
			for k := i; k < n; k += level {
				from := time.Now()
				if err := w.do(r, shots, k, first+k); err != nil {
					return err
				}
				took[k] = time.Since(from)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return f, err
	}
	wall := time.Since(start)
	if err := b.settle(ctx); err != nil {
		return f, err
	}
	cpu := s.cpu() - before
	slices.Sort(took)
	f = figures{
		Rate: float64(n) / wall.Seconds(), CPU: cpu.Seconds() * 1000 / float64(n), RSS: s.memory("VmRSS"), Peak: s.memory("VmHWM"),
		P50: took[n/2].Seconds() * 1000, P99: took[n*99/100].Seconds() * 1000,
	}
	if r.leaves && !strings.HasSuffix(r.name, "-4k") {
		err = s.clear(ctx, r, first, first+n)
	}
	return f, err
}

func (w *worker) do(r *row, shots []*shot, k, n int) error {
	if shots == nil {
		return r.act(w, n)
	}
	_, err := w.conn.fire(shots[k])
	return err
}
