// Package history replays a life of a cloud, with its faults, from one number.
//
// The loops of all four tiers that keep things, cloudctl's, each zone's
// clusterctl's and blockstore's, and each node's nodectl's, run over their real
// databases, order books and reports, with the EC2 door on top; hosts, disks
// and walrus are the fakes of the tiers' own tests. Nothing runs by itself:
// one goroutine takes the next step of some daemon, under a clock of its own,
// in an order that the seed decides. The seed also decides what users ask for
// and what goes wrong: daemons that crash before or after any change and stay
// down for a while, links that are cut or lose their answers, orders that come
// twice and late, guests that power off, machines that fall over, hosts that
// reboot, storage daemons that are killed.
//
// While it goes on no volume may have two writers and no instance two places.
// In the end all is healed and given time; then four counts must be zero: what
// was acknowledged and is lost, what was made twice, what is left without an
// owner, and what is stuck. At last the users end all they have, and nothing
// at all may be left.
//
// Not here are the wire itself, TLS and the daemons' goroutines: package
// pretend runs those.
package history

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"karri/shared/bucket/buckettest"
	"karri/shared/id"
	"karri/shared/life/lifetest"
)

// A Result is what came of a history.
type Result struct {
	Seed    uint64
	Lines   []string // what happened, in order
	Wrong   []string // what must not have happened; none when all is well
	Crashes int
}

// Print writes the history for people.
func (r Result) Print(w io.Writer) {
	for _, l := range r.Lines {
		fmt.Fprintln(w, l)
	}
	for _, l := range r.Wrong {
		fmt.Fprintln(w, "WRONG:", l)
	}
	fmt.Fprintf(w, "seed %d: %d lines, %d crashes, %d wrongs\n", r.Seed, len(r.Lines), r.Crashes, len(r.Wrong))
}

// world is all that there is, also what outlives every crash.
type world struct {
	ctx        context.Context
	dir        string
	rng        *rand.Rand
	ids        io.Reader
	now        time.Time
	fuse       *lifetest.Fuse
	walrus     *buckettest.Fake
	cloud      *cloudTier
	zones      []*zone
	daemons    []*daemon
	users      []*user
	cut        map[[2]string]bool
	flaky      bool // answers get lost
	crashing   bool // daemons crash
	late       []func() error
	ledger     ledger
	result     Result
	seen       map[string]bool      // wrongs that were told already
	poweredOff map[id.Instance]bool // by their own guests
}

// steps is how much happens before all is healed.
const steps = 220

// Run replays the history of a seed.
func Run(ctx context.Context, seed uint64) (Result, error) {
	dir, err := os.MkdirTemp("/dev/shm", "karri-history-") // a history waits for many fsyncs
	if err != nil {
		if dir, err = os.MkdirTemp("", "karri-history-"); err != nil {
			return Result{}, err
		}
	}
	defer os.RemoveAll(dir)
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	w := &world{
		ctx: ctx, dir: dir, rng: rand.New(rand.NewPCG(seed, 1)), ids: rand.NewChaCha8(key), fuse: &lifetest.Fuse{},
		now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), cut: map[[2]string]bool{}, seen: map[string]bool{}, poweredOff: map[id.Instance]bool{}, result: Result{Seed: seed},
	}
	w.ledger = ledger{map[string]values{}, map[string]values{}}
	w.walrus = buckettest.New(w.fuse)
	defer w.close()
	if err := w.build(1+w.rng.IntN(2), 1+w.rng.IntN(3)); err != nil {
		return w.result, fmt.Errorf("seed %d: %w", seed, err)
	}
	w.live()
	w.heal()
	w.check()
	if len(w.result.Wrong) == 0 {
		w.endAll()
	}
	return w.result, ctx.Err()
}

func (w *world) say(format string, args ...any) {
	at := w.now.Sub(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	w.result.Lines = append(w.result.Lines, fmt.Sprintf("%8s ", at)+fmt.Sprintf(format, args...))
}

// wrong notes what must not be, once.
func (w *world) wrong(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if w.seen[what] {
		return
	}
	w.seen[what] = true
	w.say("WRONG: %s", what)
	w.result.Wrong = append(w.result.Wrong, what)
}

// chance is true p times of a hundred.
func (w *world) chance(p int) bool { return w.rng.IntN(100) < p }

// pick returns one of all; all must not be empty.
func pick[T any](w *world, all []T) T { return all[w.rng.IntN(len(all))] }

// live is the part of a history in which things happen.
func (w *world) live() {
	w.settleFully(6) // reports come in
	w.flaky, w.crashing = w.chance(70), w.chance(80)
	for range steps {
		if w.ctx.Err() != nil {
			return
		}
		switch n := w.rng.IntN(100); {
		case n < 22:
			w.userActs(pick(w, w.users))
		case n < 30:
			w.fault()
		case n < 36:
			w.guestWrites(pick(w, w.zones))
		case n < 47:
			w.pass(time.Duration(w.rng.IntN(20_000)) * time.Millisecond)
		default:
			if w.crashing && w.chance(40) {
				w.fuse.Light(1 + w.rng.IntN(15)) // somebody crashes at the n-th change from now
			}
			for range 5 + w.rng.IntN(60) {
				w.work(pick(w, w.daemons))
			}
			w.fuse.Light(0)
		}
		w.watch()
	}
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	for _, d := range w.daemons {
		if d.down > 0 {
			if d.down--; d.down == 0 {
				w.start(d)
			}
		}
	}
}

// heal ends all faults and gives the cloud the time to come to rest.
func (w *world) heal() {
	w.say("all is healed")
	w.flaky, w.crashing = false, false
	clear(w.cut)
	w.late = nil
	for _, d := range w.daemons {
		if d.down > 0 {
			w.start(d)
		}
	}
	w.healGuests()
	w.settleFully(12)
	for range 14 {
		if w.calm() {
			break
		}
		w.settleFully(2)
	}
	w.settleFully(2)
}

// calm reports whether nothing is shown to be on its way to something else.
func (w *world) calm() bool {
	for _, u := range w.users {
		for _, state := range w.show(u).states {
			if slices.Contains(passing, state) {
				return false
			}
		}
	}
	return true
}

// settleFully has every daemon take each of its steps, again and again.
func (w *world) settleFully(rounds int) {
	for range rounds {
		w.now = w.now.Add(16 * time.Second)
		for _, d := range w.daemons {
			for _, s := range d.steps {
				s.do()
			}
		}
	}
}
