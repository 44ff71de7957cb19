package keep

import (
	"context"
	"maps"
	"slices"
	"time"

	"karri/nodectl/host"
	"karri/shared/crash"
	"karri/shared/id"
	"karri/shared/wire"
)

// selfStopped is what is reported of a guest that powered itself off.
const selfStopped = "Client.InstanceInitiatedShutdown"

// next is the whole life of an instance on a node.
func (k *Keeper) next(t Thing) *step {
	switch {
	case !t.ordered:
		return k.stray(t)
	case t.order.Want == wire.Running && t.seen.Machine.On():
		return k.run(t)
	case t.order.Want == wire.Running:
		return k.start(t)
	case t.order.Want != wire.Stopped && t.order.Want != wire.Gone:
		return wait("a newer nodectl: this one does not know the wish %q", t.order.Want)
	case t.seen.Machine.On():
		return k.stop(t)
	case t.order.Want == wire.Gone:
		return k.remove(t)
	case t.note.Boot != "" && (!t.note.Stopping || t.note.Ended != ""):
		return k.note("note that it is stopped", func(n *Note, _ Thing) { n.Stopping, n.Ended = true, "" })
	}
	return nil
}

// start leads to a machine that is on and paused.
func (k *Keeper) start(t Thing) *step {
	switch s := t.seen; {
	case t.note.Ended != "" && t.sameLaunch():
		return nil // the cloud decides
	case t.endedItself():
		return k.note("note that it ended itself", func(n *Note, _ Thing) { n.Ended = selfStopped })
	case !s.Disk && t.note.Boot != "":
		return wait("an administrator: its disk is lost")
	case !s.Disk:
		return k.step("make disk", func(ctx context.Context, t Thing) error {
			return k.whileWanted(ctx, t, func(ctx context.Context) error { return k.host.MakeDisk(ctx, t.id, t.order) })
		})
	case s.Machine == host.Down && s.Off == host.OffByCrash && t.since(t.tried.started) < 30*time.Second:
		return wait("a moment before it is started again: QEMU ended by itself")
	}
	return k.step("start", func(ctx context.Context, t Thing) error {
		k.remember(t.id, func(tr *tried) { tr.started = t.now })
		return k.host.Start(ctx, t.id, t.order)
	})
}

// run leads a machine that is on to one that runs as it should.
func (k *Keeper) run(t Thing) *step {
	switch s := t.seen; {
	case s.Machine == host.Paused && !t.startNoted():
		return k.note("note its start", func(n *Note, t Thing) {
			*n = Note{Boot: t.boot, Launched: t.order.Launched, Started: t.now, Reboots: t.order.Reboots}
		})
	case s.Machine == host.Running && t.note.Stopping && t.since(t.tried.press) > t.p.Shutdown:
		// It was asked to stop and did not; from now on its end is its own doing.
		return k.note("note that it is not to stop", func(n *Note, _ Thing) { n.Stopping = false })
	case !s.Net:
		return k.step("plug", func(ctx context.Context, t Thing) error { return k.host.Plug(ctx, t.id, t.order) })
	case s.Machine == host.Paused:
		return first(k.attach(t), k.step("resume", func(ctx context.Context, t Thing) error { return k.host.Resume(ctx, t.id) }))
	}
	return first(k.attach(t), k.reboot(t), k.wake(t), k.detach(t), k.unserved(t))
}

// stop leads to a machine that is off. Where something is kept, the guest is
// asked first.
func (k *Keeper) stop(t Thing) *step {
	keeps := t.order.Want == wire.Stopped || len(t.seen.Volumes) > 0
	switch {
	case t.order.Want == wire.Stopped && !t.note.Stopping:
		return k.note("note that it is to stop", func(n *Note, _ Thing) { n.Stopping = true })
	case t.order.Force || !keeps || t.seen.Machine != host.Running,
		!t.tried.stop.IsZero() && t.since(t.tried.stop) > t.p.Shutdown:
		return k.step("switch off", func(ctx context.Context, t Thing) error { return k.host.Destroy(ctx, t.id) })
	case t.tried.stop.IsZero() || t.since(t.tried.press) > t.p.Press:
		return k.step("press the power button", func(ctx context.Context, t Thing) error {
			k.remember(t.id, func(tr *tried) {
				if tr.press = t.now; tr.stop.IsZero() {
					tr.stop = t.now
				}
			})
			return k.host.Shutdown(ctx, t.id)
		})
	}
	return wait("the guest to shut down")
}

// remove takes away what is left of a machine that is off; the console stays
// until the order is withdrawn, and a while longer.
func (k *Keeper) remove(t Thing) *step {
	switch s := t.seen; {
	case s.Machine != host.Absent:
		return k.step("unplug and forget the machine", func(ctx context.Context, t Thing) error {
			if err := k.host.Unplug(ctx, t.id, t.order); err != nil {
				return err
			}
			crash.Here("instance.unplugged")
			return k.host.Forget(ctx, t.id)
		})
	case s.Disk:
		return k.step("remove disk", func(ctx context.Context, t Thing) error { return k.host.RemoveDisk(ctx, t.id) })
	case t.note.Boot != "" && t.note.Gone.IsZero():
		return k.note("note that it is gone", func(n *Note, t Thing) { n.Gone = t.now })
	}
	return nil
}

// stray leaves alone what no order names, and sweeps up what has no more than a
// console that was kept for long enough.
func (k *Keeper) stray(t Thing) *step {
	kept := t.note.Boot != "" && (t.note.Gone.IsZero() || t.since(t.note.Gone) < t.p.Console)
	if t.seen.Machine != host.Absent || t.seen.Disk || kept || !t.seen.Kept {
		return nil
	}
	return k.step("sweep", func(ctx context.Context, t Thing) error { return k.host.Sweep(ctx, t.id) })
}

// reboot asks the guest to reboot as often as the order counts, and resets it
// when it does not.
func (k *Keeper) reboot(t Thing) *step {
	done := func(n *Note, t Thing) { n.Reboots = t.order.Reboots }
	asked := t.tried.reboot == t.order.Reboots
	switch s := t.seen; {
	case t.note.Reboots >= t.order.Reboots:
		return nil
	case asked && s.Resets > t.tried.resets:
		return k.note("note the reboot", done)
	case s.Machine == host.Halted, asked && t.since(t.tried.since) > t.p.Reboot:
		return k.step("reset", func(ctx context.Context, t Thing) error {
			if err := k.host.Reset(ctx, t.id); err != nil {
				return err
			}
			crash.Here("instance.reset")
			return k.write(t, func(n *Note) { done(n, t) })
		})
	case !asked || t.since(t.tried.press) > t.p.Press:
		return k.step("ask the guest to reboot", func(ctx context.Context, t Thing) error {
			k.remember(t.id, func(tr *tried) {
				if tr.press = t.now; tr.reboot != t.order.Reboots {
					tr.reboot, tr.since, tr.resets = t.order.Reboots, t.now, t.seen.Resets
				}
			})
			return k.host.Reboot(ctx, t.id)
		})
	}
	return wait("the guest to reboot")
}

// wake resumes a machine that stands since an I/O error: QEMU repeats what
// failed, and it stands again if that fails again.
func (k *Keeper) wake(t Thing) *step {
	switch {
	case t.seen.Machine != host.Halted:
		return nil
	case t.since(t.tried.resumed) < 3*time.Second:
		return wait("a disk that gives I/O errors")
	}
	return k.step("resume after an I/O error", func(ctx context.Context, t Thing) error {
		k.remember(t.id, func(tr *tried) { tr.resumed = t.now })
		return k.host.Resume(ctx, t.id)
	})
}

// attach plugs in the first volume that is served and not there. One that
// failed lately is left out, so that it does not hold up the machine.
func (k *Keeper) attach(t Thing) *step {
	if t.seen.Machine == host.Halted {
		return nil
	}
	for _, v := range slices.Sorted(maps.Keys(t.order.Volumes)) {
		a := t.order.Volumes[v]
		_, there := t.seen.Volumes[v]
		r, failed := t.tried.refused[v]
		if a.Want != wire.Attached || a.Address == "" || there || failed && t.since(r.at) < 10*time.Second {
			continue
		}
		return k.step("attach "+string(v), func(ctx context.Context, t Thing) error {
			err := k.host.Attach(ctx, t.id, v, a)
			k.remember(t.id, func(tr *tried) {
				if delete(tr.refused, v); err != nil {
					if tr.refused == nil {
						tr.refused = map[id.Volume]refusal{}
					}
					tr.refused[v] = refusal{t.now, err.Error()}
				}
			})
			return err
		})
	}
	return nil
}

// detachPause is how long QEMU takes a request to let go for one that is still
// under way, and refuses another.
const detachPause = 10 * time.Second

// detach asks the guest to let go of the first volume that it should not have,
// or has by an older epoch.
func (k *Keeper) detach(t Thing) *step {
	var waiting *step
	for _, v := range slices.Sorted(maps.Keys(t.seen.Volumes)) {
		a := t.order.Volumes[v]
		if a.Want == wire.Attached && a.Epoch == t.seen.Volumes[v].Epoch {
			continue
		}
		if t.since(t.tried.detach[v]) < detachPause {
			waiting = wait("the guest to let go of %s", v)
			continue
		}
		return k.step("detach "+string(v), func(ctx context.Context, t Thing) error {
			k.remember(t.id, func(tr *tried) {
				if tr.detach == nil {
					tr.detach = map[id.Volume]time.Time{}
				}
				tr.detach[v] = t.now
			})
			return k.host.Detach(ctx, t.id, v)
		})
	}
	return waiting
}

// unserved says what the instance waits for besides.
func (k *Keeper) unserved(t Thing) *step {
	for _, v := range slices.Sorted(maps.Keys(t.order.Volumes)) {
		a := t.order.Volumes[v]
		if _, there := t.seen.Volumes[v]; there || a.Want != wire.Attached {
			continue
		}
		if r, failed := t.tried.refused[v]; failed {
			return wait("%s: %s", v, r.why)
		}
		return wait("%s to be served", v)
	}
	return nil
}

// note returns a step that changes the note alone.
func (k *Keeper) note(name string, change func(*Note, Thing)) *step {
	return k.step(name, func(_ context.Context, t Thing) error {
		return k.write(t, func(n *Note) { change(n, t) })
	})
}

func (t Thing) since(at time.Time) time.Duration { return t.now.Sub(at) }

func (t Thing) sameLaunch() bool { return t.note.Launched.Equal(t.order.Launched) }

// startNoted reports whether the note is of the start that the paused machine
// is in: then it may be let run.
func (t Thing) startNoted() bool {
	n := t.note
	return n.Boot == t.boot && t.sameLaunch() && !n.Stopping && n.Ended == "" && n.Reboots == t.order.Reboots
}

// endedItself reports whether the guest switched its machine off: it was let
// run in this boot of the host for this very wish, we did not ask it to stop,
// and nothing speaks for a crash.
func (t Thing) endedItself() bool {
	n := t.note
	return t.seen.Machine == host.Down && (t.seen.Off == host.OffByGuest || t.seen.Off == host.OffUnknown) &&
		n.Boot == t.boot && t.sameLaunch() && !n.Stopping
}
