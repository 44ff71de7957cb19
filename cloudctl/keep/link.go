package keep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"karri/cloudctl/store"
	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/life"
	"karri/shared/wire"
)

// A Link keeps one daemon of a zone told, and listens to it.
//
// The number of the orders comes from the database and grows only when their
// content does; it is written before it is told. A daemon that has accepted a
// higher number than the database knows was told by a later state of it: then
// this database was restored from an old copy. Nothing is told any more, so
// that nothing that runs is ended, until an administrator adopts what runs.
type Link[Orders, Report any] struct {
	Name   string // of the daemon, as in its certificate
	Store  *store.Store
	Peer   wire.Peer[Orders, Report]
	Orders func(tx *store.Tx) (Orders, error) // the whole list of wishes
	Heard  func(Report, time.Time)            // what it sees, and when that was heard
	Clock  func() time.Time
	Log    *slog.Logger

	last look[Orders] // of Tell alone

	mu       sync.Mutex
	told     uint64 // the number that it has accepted from us
	telling  life.Status
	asking   life.Status
	wake     chan struct{}
	wakeOnce sync.Once
}

// look is what a look at the wishes found.
type look[Orders any] struct {
	changes uint64 // what of the store it has seen
	at      time.Time
	gen     *store.Generation // nil: there was none yet
	orders  Orders
}

const (
	retell   = 5 * time.Second // a look at the wishes without a nudge
	relook   = time.Minute     // also where this process has changed nothing: another may have
	linkWait = time.Second     // after a failure
)

func (l *Link[Orders, Report]) nudges() chan struct{} {
	l.wakeOnce.Do(func() { l.wake = make(chan struct{}, 1) })
	return l.wake
}

// Nudge asks for a look at the wishes soon. It never blocks.
func (l *Link[Orders, Report]) Nudge() {
	select {
	case l.nudges() <- struct{}{}:
	default:
	}
}

// Run tells and listens until ctx ends.
func (l *Link[Orders, Report]) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { l.tellAll(ctx) })
	l.askAll(ctx)
	wg.Wait()
}

func (l *Link[Orders, Report]) tellAll(ctx context.Context) {
	for ctx.Err() == nil {
		err := l.Tell(ctx)
		l.note(&l.telling, "tell", err)
		wait := retell
		if err != nil {
			wait = linkWait
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-l.nudges():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (l *Link[Orders, Report]) askAll(ctx context.Context) {
	var since uint64
	for ctx.Err() == nil {
		next, err := l.Ask(ctx, since)
		l.note(&l.asking, "ask", err)
		if err == nil {
			since = next
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(linkWait):
		}
	}
}

// note keeps what explain shows of one direction, and logs when it changes.
func (l *Link[Orders, Report]) note(s *life.Status, step string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Looked = l.Clock()
	text := ""
	if err != nil {
		text, s.Step = err.Error(), step
		s.Tries++
	} else {
		s.Step, s.Tries = "", 0
	}
	if text != s.Error && l.Log != nil {
		l.Log.Info("link", "peer", l.Name, "step", step, "err", text)
	}
	s.Error = text
}

// Status returns how telling and asking go.
func (l *Link[Orders, Report]) Status() (telling, asking life.Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.telling, l.asking
}

// Tell numbers the wishes, if they changed, and tells them, if they were not
// accepted yet.
func (l *Link[Orders, Report]) Tell(ctx context.Context) error {
	gen, orders, err := l.read(ctx)
	if err != nil {
		return err
	}
	if gen.Ahead > 0 {
		return fmt.Errorf("%s has accepted generation %d and this database knows %d: it was restored from an old copy; "+
			"nothing is told until what runs is adopted", l.Name, gen.Ahead, gen.Number)
	}
	l.mu.Lock()
	done := l.told == gen.Number
	l.mu.Unlock()
	if done {
		return nil
	}
	crash.Here("link.numbered")
	if err := l.Peer.Tell(ctx, gen.Number, orders); err != nil {
		if code := fault.CodeOf(err); code == "OldGeneration" || code == "SameGeneration" {
			return l.ahead(ctx, gen.Number)
		}
		return fmt.Errorf("tell generation %d: %w", gen.Number, err)
	}
	l.mu.Lock()
	l.told = gen.Number
	l.mu.Unlock()
	return nil
}

// read returns the wishes and their number, a new one when they changed. To
// read them all takes long where there are many, so it is left where nothing
// was written since the last look, and done before users have to wait for the
// transaction that gives the number.
func (l *Link[Orders, Report]) read(ctx context.Context) (*store.Generation, Orders, error) {
	now := l.Clock()
	n := look[Orders]{changes: l.Store.Changes(), at: now}
	if old := l.last; old.gen != nil && old.changes == n.changes && now.Sub(old.at) < relook {
		return old.gen, old.orders, nil
	}
	l.last = look[Orders]{}
	digest := ""
	all := func(tx *store.Tx) (err error) {
		if n.gen, err = tx.Generation(l.Name); err != nil {
			return err
		}
		if n.orders, err = l.Orders(tx); err != nil {
			return err
		}
		b, err := json.Marshal(n.orders)
		sum := sha256.Sum256(b)
		digest = hex.EncodeToString(sum[:])
		return err
	}
	settled := func() bool { return digest == n.gen.Digest || n.gen.Ahead > 0 }
	err := l.Store.View(ctx, all)
	if err == nil && !settled() {
		err = l.Store.InTx(ctx, func(tx *store.Tx) error {
			if now := l.Store.Changes(); now != n.changes { // somebody wrote since
				n.changes = now
				if err := all(tx); err != nil || settled() {
					return err
				}
			}
			n.gen.Number, n.gen.Digest = n.gen.Number+1, digest
			return tx.Put(n.gen)
		})
		n.changes++ // that was us
	}
	if err != nil {
		return nil, n.orders, err
	}
	l.last = n
	return n.gen, n.orders, nil
}

// Ask hears what the daemon sees and returns the version to ask from next.
func (l *Link[Orders, Report]) Ask(ctx context.Context, since uint64) (uint64, error) {
	seen, err := l.Peer.Ask(ctx, since)
	if err != nil {
		return since, fmt.Errorf("ask: %w", err)
	}
	var gen *store.Generation
	err = l.Store.View(ctx, func(tx *store.Tx) (err error) {
		gen, err = tx.Generation(l.Name)
		return err
	})
	if err != nil {
		return since, err
	}
	if seen.Accepted > gen.Number && gen.Ahead < seen.Accepted {
		if err := l.ahead(ctx, seen.Accepted); err != nil && fault.KindOf(err) == fault.Broken && ctx.Err() != nil {
			return since, err
		}
	}
	l.mu.Lock()
	if seen.Accepted < l.told { // it lost its disk
		l.told = 0
		l.Nudge()
	}
	l.mu.Unlock()
	l.Heard(seen.Report, l.Clock())
	return seen.Version, nil
}

// ahead remembers that the daemon accepted a number that this database never
// gave. It returns what is wrong.
func (l *Link[Orders, Report]) ahead(ctx context.Context, accepted uint64) error {
	err := l.Store.InTx(ctx, func(tx *store.Tx) error {
		gen, err := tx.Generation(l.Name)
		if err != nil {
			return err
		}
		gen.Ahead = max(gen.Ahead, accepted, gen.Number)
		return tx.Put(gen)
	})
	if err != nil {
		return err
	}
	return fmt.Errorf("%s is ahead of this database: it has accepted generation %d", l.Name, accepted)
}
