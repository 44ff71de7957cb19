package hypervisor

import (
	"context"
	"sync"
	"time"

	libvirt "github.com/digitalocean/go-libvirt"
)

// pulse is how often the watchdog asks whether the events' connection lives.
const pulse = 3 * time.Second

// watchEvents keeps one connection with one subscription of each sort that
// matters, until ctx ends.
func (h *Hypervisor) watchEvents(ctx context.Context) {
	for ctx.Err() == nil {
		c := &conn{socket: h.c.Socket, limit: h.c.Limit}
		if err := h.follow(ctx, c); err != nil && ctx.Err() == nil {
			h.c.Log.Warn("lost libvirt's events; dialling again", "err", err)
		}
		c.close()
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// follow subscribes, nudges everything once, and passes events on until the
// connection breaks or ctx ends.
func (h *Hypervisor) follow(ctx context.Context, c *conn) error {
	var readers sync.WaitGroup
	defer readers.Wait()
	defer c.close()
	// The context of a subscription is never cancelled: see the package comment.
	err := c.do(ctx, h.c.Limit, func(l *libvirt.Libvirt) error {
		life, err := l.LifecycleEvents(context.Background())
		if err != nil {
			return err
		}
		readers.Go(func() {
			for e := range life {
				h.nudge(e.Dom)
			}
		})
		for _, sort := range []libvirt.DomainEventID{
			libvirt.DomainEventIDReboot, libvirt.DomainEventIDDeviceRemoved, libvirt.DomainEventIDIoError,
		} {
			events, err := l.SubscribeEvents(context.Background(), sort, libvirt.OptDomain{})
			if err != nil {
				return err
			}
			readers.Go(func() {
				for e := range events {
					h.take(e)
				}
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	h.c.Nudge()
	beat := time.NewTicker(pulse)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
		if err := c.do(ctx, h.c.Limit, func(l *libvirt.Libvirt) error { _, err := l.ConnectGetLibVersion(); return err }); err != nil {
			return err
		}
	}
}

func (h *Hypervisor) nudge(d libvirt.Domain) {
	if i, ours := h.instance(d.Name); ours {
		h.c.Nudge(i)
	}
}

func (h *Hypervisor) take(event any) {
	switch e := event.(type) {
	case *libvirt.DomainEventCallbackRebootMsg:
		if i, ours := h.instance(e.Msg.Dom.Name); ours {
			h.mu.Lock()
			h.resets[i]++
			h.mu.Unlock()
		}
		h.nudge(e.Msg.Dom)
	case *libvirt.DomainEventCallbackDeviceRemovedMsg:
		h.nudge(e.Msg.Dom)
	case *libvirt.DomainEventCallbackIOErrorMsg:
		h.nudge(e.Msg.Dom)
	}
}
