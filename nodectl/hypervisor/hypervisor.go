// Package hypervisor is the door to libvirt: the only place that knows its
// calls, its XML and its habits.
//
// A domain is defined persistently under a name that holds the cloud's short id
// and the instance's, with the cloud's id in its metadata too, so that a
// restarted nodectl or libvirtd finds it, and libvirt is the only record of what
// runs. It is started paused: its taps are to be moved behind their rules before
// the guest's first instruction.
//
// Two connections are held. One carries calls, each with a deadline; a call that
// passes it costs the connection, never the daemon. The other carries events and
// nothing else, because a subscription that is cancelled can block the library's
// only reader for ever (digitalocean/go-libvirt, pull request 190): ours are
// never cancelled, they end with their connection. A watchdog redials it when
// libvirtd stops answering, and each new connection begins with a full nudge.
// An event is a nudge and no news: what happened is read by Look.
package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"karri/shared/fault"
	"karri/shared/id"

	libvirt "github.com/digitalocean/go-libvirt"
)

// Config says which libvirtd is spoken to, and for which cloud.
type Config struct {
	Socket string
	Cloud  string        // short id of the cloud; domains of others are never touched
	KVM    bool          // domains are of type kvm, else qemu
	TLS    string        // the name that the certificate of blockstore's exports must bear
	Limit  time.Duration // of one call; 30 s when zero
	Nudge  func(...id.Instance)
	Log    *slog.Logger
}

// A Hypervisor is libvirt, as far as one cloud uses it. Its methods may be
// called at the same time.
type Hypervisor struct {
	c     Config
	calls *conn
	watch sync.WaitGroup
	stop  context.CancelFunc

	mu     sync.Mutex
	resets map[id.Instance]uint64
}

// Open begins to watch libvirt. It succeeds while libvirtd is away: calls fail
// with kind Later until it is there.
func Open(c Config) *Hypervisor {
	if c.Limit == 0 {
		c.Limit = 30 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Nudge == nil {
		c.Nudge = func(...id.Instance) {}
	}
	ctx, stop := context.WithCancel(context.Background())
	h := &Hypervisor{c: c, calls: &conn{socket: c.Socket, limit: c.Limit}, stop: stop, resets: map[id.Instance]uint64{}}
	h.watch.Go(func() { h.watchEvents(ctx) })
	return h
}

// Close ends the connections; domains run on.
func (h *Hypervisor) Close() {
	h.stop()
	h.watch.Wait()
	h.calls.close()
}

// State is what libvirt has of a domain.
type State struct {
	Defined bool
	On      bool // there is a QEMU process
	Running bool // the guest's processors run
	IOError bool // they do not since an I/O error
	Off     Off  // why it is off
	Taps    []string
	Volumes map[id.Volume]Volume
}

// Volume is a volume that a domain has.
type Volume struct {
	Epoch  uint64
	Device string
}

// Off is why a domain is off.
type Off int

const (
	OffUnknown  Off = iota // libvirtd was restarted since
	OffShutdown            // the guest powered itself off
	OffDestroyed
	OffCrashed // QEMU ended by itself, or never began
)

func (h *Hypervisor) prefix() string { return "karri-" + h.c.Cloud + "-" }

func (h *Hypervisor) name(i id.Instance) string { return h.prefix() + string(i) }

func (h *Hypervisor) instance(domain string) (id.Instance, bool) {
	s, ours := strings.CutPrefix(domain, h.prefix())
	return id.Instance(s), ours && id.Valid[id.Instance](s)
}

// List returns the instances of this cloud that have a domain.
func (h *Hypervisor) List(ctx context.Context) (list []id.Instance, err error) {
	err = h.do(ctx, "list", func(l *libvirt.Libvirt) error {
		list = nil
		domains, _, err := l.ConnectListAllDomains(1, 0)
		for _, d := range domains {
			if i, ours := h.instance(d.Name); ours {
				list = append(list, i)
			}
		}
		return err
	})
	return list, err
}

// Look returns what there is of an instance.
func (h *Hypervisor) Look(ctx context.Context, i id.Instance) (s State, err error) {
	err = h.do(ctx, "look", func(l *libvirt.Libvirt) error {
		s = State{}
		d, err := l.DomainLookupByName(h.name(i))
		if err != nil {
			return absent(err)
		}
		state, reason, err := l.DomainGetState(d, 0)
		if err != nil {
			return absent(err)
		}
		s = judge(state, reason)
		if !s.On {
			return nil
		}
		text, err := l.DomainGetXMLDesc(d, 0)
		if err != nil {
			return absent(err)
		}
		return s.read(text)
	})
	return s, err
}

// absent makes a domain that is not there no error.
func absent(err error) error {
	if libvirt.IsNotFound(err) {
		return nil
	}
	return err
}

func judge(state, reason int32) State {
	s := State{Defined: true}
	switch libvirt.DomainState(state) {
	case libvirt.DomainShutoff:
		switch libvirt.DomainShutoffReason(reason) {
		case libvirt.DomainShutoffShutdown:
			s.Off = OffShutdown
		case libvirt.DomainShutoffDestroyed:
			s.Off = OffDestroyed
		case libvirt.DomainShutoffCrashed, libvirt.DomainShutoffFailed:
			s.Off = OffCrashed
		}
	case libvirt.DomainCrashed:
		s.Off = OffCrashed
	case libvirt.DomainPaused:
		s.On, s.IOError = true, libvirt.DomainPausedReason(reason) == libvirt.DomainPausedIoerror
	default: // running, blocked, on its way down, asleep
		s.On, s.Running = true, true
	}
	return s
}

// startLimit bounds a start: the first one makes libvirt ask QEMU what it can,
// which takes long on a busy machine.
const startLimit = 3 * time.Minute

// Start defines the domain of m and starts it paused. A domain that is on is
// left as it is.
func (h *Hypervisor) Start(ctx context.Context, m Machine) error {
	text, err := h.render(m)
	if err != nil {
		return err
	}
	return h.doFor(ctx, startLimit, "start", func(l *libvirt.Libvirt) error {
		if d, err := l.DomainLookupByName(h.name(m.ID)); err == nil {
			if state, reason, err := l.DomainGetState(d, 0); err != nil || judge(state, reason).On {
				return err
			}
		}
		d, err := l.DomainDefineXMLFlags(text, libvirt.DomainDefineValidate)
		if err != nil {
			return err
		}
		_, err = l.DomainCreateWithFlags(d, uint32(libvirt.DomainStartPaused))
		return err
	})
}

// on does f to the domain of i if that is on.
func (h *Hypervisor) on(ctx context.Context, i id.Instance, what string, f func(*libvirt.Libvirt, libvirt.Domain) error) error {
	return h.do(ctx, what, func(l *libvirt.Libvirt) error {
		d, err := l.DomainLookupByName(h.name(i))
		if err != nil {
			return absent(err)
		}
		state, reason, err := l.DomainGetState(d, 0)
		if err != nil || !judge(state, reason).On {
			return absent(err)
		}
		err = f(l, d)
		e, ok := errors.AsType[libvirt.Error](err)
		if !ok {
			return err
		}
		// It may have gone off, in the middle of our call too, or done by itself what
		// was asked, since we looked.
		after, reason, again := l.DomainGetState(d, 0)
		ending := libvirt.DomainState(after) == libvirt.DomainShutdown
		if again == nil && (!judge(after, reason).On || ending || e.Code == uint32(libvirt.ErrOperationInvalid) && after != state) {
			return nil
		}
		return absent(err)
	})
}

// Resume lets a paused domain run.
func (h *Hypervisor) Resume(ctx context.Context, i id.Instance) error {
	return h.on(ctx, i, "resume", func(l *libvirt.Libvirt, d libvirt.Domain) error {
		if state, reason, err := l.DomainGetState(d, 0); err != nil || judge(state, reason).Running {
			return err
		}
		return l.DomainResume(d)
	})
}

// Shutdown presses the power button.
func (h *Hypervisor) Shutdown(ctx context.Context, i id.Instance) error {
	return h.on(ctx, i, "shut down", func(l *libvirt.Libvirt, d libvirt.Domain) error {
		return l.DomainShutdownFlags(d, libvirt.DomainShutdownAcpiPowerBtn)
	})
}

// Reboot presses the power button, and libvirt starts the machine again when the
// guest has shut down.
func (h *Hypervisor) Reboot(ctx context.Context, i id.Instance) error {
	return h.on(ctx, i, "reboot", func(l *libvirt.Libvirt, d libvirt.Domain) error {
		return l.DomainReboot(d, libvirt.DomainRebootAcpiPowerBtn)
	})
}

// Reset restarts the machine at once.
func (h *Hypervisor) Reset(ctx context.Context, i id.Instance) error {
	return h.on(ctx, i, "reset", func(l *libvirt.Libvirt, d libvirt.Domain) error { return l.DomainReset(d, 0) })
}

// Destroy ends the domain's process.
func (h *Hypervisor) Destroy(ctx context.Context, i id.Instance) error {
	return h.on(ctx, i, "destroy", func(l *libvirt.Libvirt, d libvirt.Domain) error {
		return l.DomainDestroyFlags(d, 0)
	})
}

// Forget removes the definition of a domain that is off.
func (h *Hypervisor) Forget(ctx context.Context, i id.Instance) error {
	err := h.do(ctx, "undefine", func(l *libvirt.Libvirt) error {
		d, err := l.DomainLookupByName(h.name(i))
		if err != nil {
			return absent(err)
		}
		if state, reason, err := l.DomainGetState(d, 0); err != nil || judge(state, reason).On {
			return errors.Join(err, fault.New(fault.Conflict, "IncorrectInstanceState", "The machine of %s is on.", i))
		}
		return absent(l.DomainUndefineFlags(d, 0))
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.resets, i)
	return err
}

// Resets returns how often the machine of i was seen to reboot since Open.
func (h *Hypervisor) Resets(i id.Instance) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.resets[i]
}

func (h *Hypervisor) do(ctx context.Context, what string, f func(*libvirt.Libvirt) error) error {
	return h.doFor(ctx, h.c.Limit, what, f)
}

func (h *Hypervisor) doFor(ctx context.Context, limit time.Duration, what string, f func(*libvirt.Libvirt) error) error {
	if err := h.calls.do(ctx, limit, f); err != nil {
		return fmt.Errorf("libvirt: %s: %w", what, err)
	}
	return nil
}
