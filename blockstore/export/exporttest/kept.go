package exporttest

import (
	"encoding/json"

	"karri/blockstore/export"
	"karri/shared/id"
)

// kept is a Fake as it is written down, so that it may outlive its process; the
// volumes are their engine's to write down, and to be read first.
type kept struct {
	Servers map[id.Volume]keptServer
	Highest map[id.Volume]uint64
	Wrongs  []string
}

type keptServer struct {
	Ticket export.Ticket
	Top    int
}

// MarshalJSON writes down all that there is.
func (f *Fake) MarshalJSON() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := kept{map[id.Volume]keptServer{}, f.highest, f.wrongs}
	for v, s := range f.servers {
		k.Servers[v] = keptServer{s.Ticket, s.top}
	}
	return json.Marshal(k)
}

// UnmarshalJSON puts what was written down in place of what there is.
func (f *Fake) UnmarshalJSON(text []byte) error {
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers, f.highest, f.wrongs = map[id.Volume]*server{}, map[id.Volume]uint64{}, k.Wrongs
	for v, e := range k.Highest {
		f.highest[v] = e
	}
	for v, s := range k.Servers {
		if f.Disk.Hold(v, true) != nil {
			continue // its volume was written down later than it, and is gone
		}
		f.servers[v] = &server{s.Ticket, s.Top}
	}
	return nil
}
