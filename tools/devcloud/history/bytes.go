package history

import (
	"bytes"
	"maps"
	"slices"

	"karri/shared/id"
	"karri/shared/wire"
)

// values is what the first block of a volume or a snapshot may be filled with:
// one value, or several where an instant is not known.
type values map[byte]bool

// ledger is what was written to volumes and acknowledged by them.
type ledger struct {
	volumes   map[string]values
	snapshots map[string]values
}

const blockBytes = 4096

// made notes a new volume, which reads as zeros or as a snapshot does.
func (l *ledger) made(v, from string) {
	if l.volumes[v] = (values{0: true}); from != "" {
		l.volumes[v] = l.snapshots[from] // what is written until it is frozen shows here too
	}
}

// guestWrites has a guest that has a volume write to it.
func (w *world) guestWrites(z *zone) {
	h := pick(w, z.nodes)
	all, _ := h.Instances(w.ctx)
	for _, i := range all {
		s, _ := h.Seen(w.ctx, i, wire.Instance{})
		for _, v := range slices.Sorted(maps.Keys(s.Volumes)) {
			if t := z.export.Ticket(v); s.Machine != "running" || t.Epoch != s.Volumes[v].Epoch || w.chance(50) {
				continue
			}
			b := byte(1 + w.rng.IntN(255))
			if err := z.export.Write(v, 0, bytes.Repeat([]byte{b}, blockBytes)); err != nil {
				continue
			}
			w.say("%s writes %d to %s", i, b, v)
			w.ledger.volumes[string(v)] = values{b: true}
			for _, u := range w.users {
				for p, of := range u.from {
					if of == string(v) {
						w.ledger.snapshots[p][b] = true
					}
				}
			}
		}
	}
}

// checkBytes reads what was written.
func (w *world) checkBytes(u *user, s shown) {
	for _, v := range having(u.volumes, "present") {
		if s.states[v] != "available" && s.states[v] != "in-use" {
			continue // told already
		}
		for _, z := range w.zones {
			got := make([]byte, 1)
			if seen, err := z.disk.Seen(w.ctx, id.Volume(v)); err != nil || !seen.Exists() {
				continue
			}
			if _, err := z.disk.Read(id.Volume(v), got, 0); err != nil || !w.ledger.volumes[v][got[0]] {
				w.wrong("lost: %s reads %d and was written %v (%v)", v, got[0], slices.Sorted(maps.Keys(w.ledger.volumes[v])), err)
			}
		}
	}
}
