package history

import (
	"slices"

	"karri/shared/id"
	"karri/shared/wire"
)

// fault has something go wrong in the world.
func (w *world) fault() {
	z := pick(w, w.zones)
	h := pick(w, z.nodes)
	switch n := w.rng.IntN(100); {
	case n < 25:
		w.cutOrMend(z, h)
	case n < 40 && len(w.late) > 0:
		if err := pick(w, w.late)(); err != nil {
			w.say("late orders: %v", err)
		}
	case n < 55:
		d := pick(w, w.daemons)
		if d.down == 0 {
			d.down = 1 + w.rng.IntN(4)
			w.result.Crashes++
			w.say("%s is killed; down for %d", d.name, d.down)
		}
	case n < 60:
		w.say("host %s reboots", h.name)
		h.RebootHost()
	case n < 64:
		w.restartLibvirt(h)
	case n < 75:
		w.killServer(z)
	default:
		w.hurtGuest(h)
	}
}

// restartLibvirt makes it forget why machines are off; those that are count as
// switched off by their guests from now on.
func (w *world) restartLibvirt(h *host) {
	w.say("libvirt of %s is restarted", h.name)
	h.RestartLibvirt()
	all, _ := h.Instances(w.ctx)
	for _, i := range all {
		if s, _ := h.Seen(w.ctx, i, wire.Instance{}); s.Machine == "down" {
			w.poweredOff[i] = true
		}
	}
}

func (w *world) cutOrMend(z *zone, h *host) {
	link := pick(w, [][2]string{{"cloudctl", z.clusterd.name}, {"cloudctl", z.blockd.name}, {z.clusterd.name, h.noded.name}})
	if w.cut[link] {
		w.say("%v is mended", link)
		delete(w.cut, link)
		return
	}
	w.say("%v is cut", link)
	w.cut[link] = true
}

// killServer ends the storage daemon of a volume, as a lack of memory does.
func (w *world) killServer(z *zone) {
	all, err := z.disk.Volumes(w.ctx)
	if err != nil || len(all) == 0 {
		return
	}
	v := pick(w, all)
	w.say("the storage daemon of %s is killed (epoch %d)", v, z.export.Ticket(v).Epoch)
	if err := z.export.Kill(v); err != nil {
		w.wrong("%v", err)
	}
}

func (w *world) hurtGuest(h *host) {
	all, err := h.Instances(w.ctx)
	if err != nil || len(all) == 0 {
		return
	}
	i := pick(w, all)
	switch w.rng.IntN(4) {
	case 0:
		if seen, err := h.Seen(w.ctx, i, wire.Instance{}); err == nil && seen.Machine.On() {
			w.say("the guest of %s powers off", i)
			h.PowerOff(i)
			w.poweredOff[i] = true
		}
	case 1:
		w.say("QEMU of %s falls over", i)
		h.Crash(i)
	case 2:
		w.say("the guest of %s is deaf", i)
		h.Deafen(i, true)
	default:
		w.say("a disk of %s gives errors", i)
		h.Break(i, true)
	}
}

func (w *world) healGuests() {
	for _, z := range w.zones {
		for _, h := range z.nodes {
			all, err := h.Instances(w.ctx)
			if err != nil {
				w.wrong("%v", err)
			}
			for _, i := range all {
				h.Deafen(i, false)
				h.Break(i, false)
			}
		}
	}
}

// watch looks for what must never be, at any moment.
func (w *world) watch() {
	where := map[id.Instance]string{}
	for _, z := range w.zones {
		writers := map[id.Volume]string{}
		for _, h := range z.nodes {
			for _, wrong := range h.Wrong() {
				w.wrong("%s: %s", h.name, wrong)
			}
			all, _ := h.Instances(w.ctx)
			for _, i := range all {
				s, _ := h.Seen(w.ctx, i, wire.Instance{})
				if !s.Disk && !s.Machine.On() {
					continue
				}
				if other := where[i]; other != "" {
					w.wrong("%s is on %s and on %s", i, other, h.name)
				}
				where[i] = h.name
				for v, p := range s.Volumes {
					t := z.export.Ticket(v)
					if t.Epoch != p.Epoch || !s.Machine.On() {
						continue // it cannot write
					}
					if t.Peer != h.name+"."+z.name+".nodectl.karri" {
						w.wrong("epoch %d of %s is for %s and is plugged in on %s", t.Epoch, v, t.Peer, h.name)
					}
					if other := writers[v]; other != "" {
						w.wrong("%s has two writers: %s and %s", v, other, i)
					}
					writers[v] = string(i)
				}
			}
		}
		for _, wrong := range z.export.Wrongs() {
			w.wrong("%s: %s", z.name, wrong)
		}
	}
}

// machine returns the host and what it has of an instance.
func (w *world) machine(i id.Instance) (at *host, running bool, volumes map[id.Volume]wire.VolumePlugged) {
	for _, z := range w.zones {
		for _, h := range z.nodes {
			all, _ := h.Instances(w.ctx)
			if !slices.Contains(all, i) {
				continue
			}
			if s, _ := h.Seen(w.ctx, i, wire.Instance{}); s.Disk || s.Machine.On() {
				return h, s.Machine == "running", s.Volumes
			}
		}
	}
	return nil, false, nil
}
