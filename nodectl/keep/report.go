package keep

import (
	"time"

	"karri/nodectl/host"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// Report returns what was last seen of every instance. flow is the runner's
// status of one.
func (k *Keeper) Report(flow func(id string) (life.Status, bool)) map[id.Instance]wire.InstanceSeen {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := map[id.Instance]wire.InstanceSeen{}
	for i, t := range k.looks {
		if t.tried = k.tried[i]; !t.ordered && t.seen.Machine == host.Absent && !t.seen.Disk {
			continue // a console that is kept is no instance
		}
		s := t.report()
		s.Flow, _ = flow(string(i))
		s.Flow.Looked = s.Flow.Looked.Truncate(time.Minute) // a look alone is no news
		all[i] = s
	}
	return all
}

// report says in the words of the tier above what was seen.
func (t Thing) report() wire.InstanceSeen {
	s := wire.InstanceSeen{Stray: !t.ordered, Reboots: t.note.Reboots, Started: t.note.Started, Launched: t.note.Launched, Volumes: t.seen.Volumes}
	on := t.seen.Machine.On()
	switch {
	case on && t.ordered && t.order.Want != wire.Running:
		s.State = wire.InstanceStopping
	case on && t.seen.Machine == host.Paused && t.ordered:
		s.State = wire.InstancePending
	case on:
		s.State = wire.InstanceRunning
	case t.order.Want == wire.Gone && (t.seen.Disk || t.seen.Machine != host.Absent):
		s.State = wire.InstanceStopping
	case t.order.Want == wire.Gone:
		s.State = wire.InstanceGone
	case !t.ordered, t.order.Want == wire.Stopped:
		s.State, s.Reason = wire.InstanceStopped, t.note.Ended
	case t.note.Ended != "" && t.sameLaunch():
		s.State, s.Reason = wire.InstanceStopped, t.note.Ended
	case t.note.Boot != "" && !t.seen.Disk:
		s.State, s.Reason = wire.InstanceBroken, "Server.InternalError: its disk is lost"
	case t.tried.hopeless != "":
		s.State, s.Reason = wire.InstanceBroken, "Server.InternalError: "+t.tried.hopeless
	default:
		s.State = wire.InstancePending
	}
	return s
}
