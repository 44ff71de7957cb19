// Package keep holds the loop of a host: it brings each instance to what its
// order wants.
//
// The whole life of an instance on a node is the switch in instance.go. It
// decides from the order, from what the host sees and from a note on disk; what
// the keeper remembers in memory only spares the guest a second pressing of its
// power button, and a crash loses nothing by forgetting it.
//
// Three rules stand above the rest. An instance that no order names is left as
// it is and reported as stray. A machine that was switched off by its own guest
// is not started again until the order's Launched changes or the order has said
// stopped: the cloud turns the wish. A machine that is off because the host was
// rebooted, or QEMU fell over, is started again.
package keep

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"karri/nodectl/host"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// Orders is what this node was told; wire.Book is it.
type Orders interface {
	Orders() (wire.NodeOrders, uint64)
	// Changed returns a channel that is closed at the next change.
	Changed() <-chan struct{}
}

// Patience is how long a guest is given.
type Patience struct {
	Shutdown time.Duration // after the power button, before it is switched off; 60 s when zero
	Reboot   time.Duration // before it is reset; 60 s when zero
	Press    time.Duration // between two pressings of the button: a guest that boots does not hear it; 4 s when zero
	Console  time.Duration // how long a console is kept when an instance is gone; 1 h when zero
}

// A Keeper looks after the instances of one host.
type Keeper struct {
	host     host.Host
	orders   Orders
	notes    Notes
	patience Patience
	now      func() time.Time

	mu      sync.Mutex
	tried   map[id.Instance]tried
	looks   map[id.Instance]Thing
	changed chan struct{}
}

// New returns the keeper of h. now is the clock; time.Now when nil.
func New(h host.Host, o Orders, n Notes, p Patience, now func() time.Time) *Keeper {
	if now == nil {
		now = time.Now
	}
	p.Shutdown = or(p.Shutdown, time.Minute)
	p.Reboot = or(p.Reboot, time.Minute)
	p.Press = or(p.Press, 4*time.Second)
	p.Console = or(p.Console, time.Hour)
	return &Keeper{host: h, orders: o, notes: n, patience: p, now: now, changed: make(chan struct{}, 1),
		tried: map[id.Instance]tried{}, looks: map[id.Instance]Thing{}}
}

func or(a, b time.Duration) time.Duration {
	if a != 0 {
		return a
	}
	return b
}

// Thing is all that is known of an instance when its next step is decided.
type Thing struct {
	id      id.Instance
	ordered bool
	order   wire.Instance
	seen    host.Seen
	note    Note
	boot    string
	now     time.Time
	tried   tried
	p       Patience
}

// tried is what was lately asked of a guest; it is in memory alone.
type tried struct {
	stop     time.Time // when the guest was first asked to shut down
	press    time.Time // when the button was last pressed
	reboot   uint64    // the reboot that was asked for
	since    time.Time // when
	resets   uint64    // Seen.Resets at that time
	resumed  time.Time
	started  time.Time
	detach   map[id.Volume]time.Time
	refused  map[id.Volume]refusal // attachments that failed
	hopeless string                // why the last step failed for good
}

type refusal struct {
	at  time.Time
	why string
}

// Kind returns the kind of thing that the keeper keeps.
func (k *Keeper) Kind() life.Kind[Thing] {
	return life.Kind[Thing]{Name: "instance", List: k.list, Look: k.look, Next: k.next}
}

// Changed is sent to when something was looked at, and so the report may have
// changed.
func (k *Keeper) Changed() <-chan struct{} { return k.changed }

func (k *Keeper) list(ctx context.Context) ([]string, error) {
	here, err := k.host.Instances(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for _, i := range here {
		all[string(i)] = true
	}
	orders, _ := k.orders.Orders()
	for i := range orders.Instances {
		all[string(i)] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.looks {
		if !all[string(i)] {
			delete(k.looks, i)
			delete(k.tried, i)
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

func (k *Keeper) look(ctx context.Context, s string) (Thing, error) {
	i := id.Instance(s)
	orders, _ := k.orders.Orders()
	t := Thing{id: i, boot: k.host.Boot(), now: k.now(), p: k.patience}
	t.order, t.ordered = orders.Instances[i]
	var err error
	if t.note, err = k.notes.Read(i); err != nil {
		return t, err
	}
	if t.seen, err = k.host.Seen(ctx, i, t.order); err != nil {
		return t, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if tr := k.tried[i]; t.order.Want == wire.Running && !tr.stop.IsZero() {
		tr.stop = time.Time{} // the next stop has its own patience
		k.tried[i] = tr
	}
	t.tried = k.tried[i]
	k.looks[i] = t
	select {
	case k.changed <- struct{}{}:
	default:
	}
	return t, nil
}

// remember changes what is remembered of i.
func (k *Keeper) remember(i id.Instance, change func(*tried)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	tr := k.tried[i]
	tr.detach, tr.refused = maps.Clone(tr.detach), maps.Clone(tr.refused)
	change(&tr)
	k.tried[i] = tr
}

// write changes the note of t.
func (k *Keeper) write(t Thing, change func(*Note)) error {
	n := t.note
	change(&n)
	return k.notes.Write(t.id, n)
}

type step = life.Step[Thing]

// step returns a step whose failure for good is remembered for the report.
func (k *Keeper) step(name string, do func(ctx context.Context, t Thing) error) *step {
	return &step{Name: name, Do: func(ctx context.Context, t Thing) error {
		err := do(ctx, t)
		why := ""
		if f := fault.Of(err); err != nil && (f.Kind == fault.Invalid || f.Kind == fault.Denied || f.Kind == fault.Missing) {
			why = f.Text
		}
		k.remember(t.id, func(tr *tried) { tr.hopeless = why })
		return err
	}}
}

// whileWanted does long work and cuts it short when the wish changes.
func (k *Keeper) whileWanted(ctx context.Context, t Thing, do func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	watch.Go(func() {
		for {
			changed := k.orders.Changed()
			if o, _ := k.orders.Orders(); o.Instances[t.id].Want != t.order.Want {
				cancel()
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	return do(ctx)
}

func wait(format string, args ...any) *step { return life.Wait[Thing](format, args...) }

// first returns the first step that does something, or else the first wait.
func first(steps ...*step) *step {
	var w *step
	for _, s := range steps {
		if s != nil && s.Do != nil {
			return s
		}
		if w == nil {
			w = s
		}
	}
	return w
}
