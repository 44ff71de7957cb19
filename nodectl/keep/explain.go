package keep

import (
	"maps"
	"slices"
	"time"

	"karri/nodectl/host"
	"karri/shared/id"
	"karri/shared/wire"
)

// Explain adds to e what is wanted and seen of an instance, or of every
// instance that has to do with a volume. It tells whether there was anything.
func (k *Keeper) Explain(e *wire.Explanation, thing string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t, ok := k.looks[id.Instance(thing)]; ok {
		t.tried = k.tried[t.id]
		t.explain(e)
		return true
	}
	known := false
	for _, i := range slices.Sorted(maps.Keys(k.looks)) {
		t := k.looks[i]
		t.tried = k.tried[i]
		a, ordered := t.order.Volumes[id.Volume(thing)]
		p, plugged := t.seen.Volumes[id.Volume(thing)]
		if ordered || plugged {
			known = true
			t.explainVolume(e, a, ordered, p, plugged)
			if r, failed := t.tried.refused[id.Volume(thing)]; failed {
				e.Say("the last try at %s: %s", r.at.UTC().Format(time.RFC3339), r.why)
			}
		}
	}
	return known
}

func (t Thing) explain(e *wire.Explanation) {
	if !t.ordered {
		e.Say("no order names %s; it is left as it is", t.id)
	} else {
		e.Say("wanted %s, %d reboots, launched %s", t.order.Want, t.order.Reboots, t.order.Launched.UTC().Format(time.RFC3339))
	}
	s, n := t.seen, t.note
	machine := string(s.Machine)
	switch s.Machine {
	case host.Absent:
		machine = "none"
	case host.Down:
		machine += " (off by " + string(s.Off) + ")"
	}
	e.Say("seen: disk %v, machine %s, network %v", s.Disk, machine, s.Net)
	for v, p := range s.Volumes {
		e.Say("has %s as %s by epoch %d", v, p.Device, p.Epoch)
	}
	if n.Boot != "" {
		e.Say("started %s, %d reboots done, boot %s of the host (now %s)", n.Started.UTC().Format(time.RFC3339), n.Reboots, n.Boot, t.boot)
	}
	if n.Ended != "" {
		e.Say("ended by itself: %s", n.Ended)
	}
	if n.Stopping {
		e.Say("stopped because that was wanted")
	}
	if t.tried.hopeless != "" {
		e.Say("cannot go on: %s", t.tried.hopeless)
	}
}

func (t Thing) explainVolume(e *wire.Explanation, a wire.Attachment, ordered bool, p wire.VolumePlugged, plugged bool) {
	switch {
	case ordered && a.Address == "":
		e.Say("%s wants it %s by epoch %d as %s; it is not served yet", t.id, a.Want, a.Epoch, a.Device)
	case ordered:
		e.Say("%s wants it %s by epoch %d as %s, served at %s", t.id, a.Want, a.Epoch, a.Device, a.Address)
	}
	if plugged {
		e.Say("%s has it by epoch %d as %s", t.id, p.Epoch, p.Device)
	}
}
