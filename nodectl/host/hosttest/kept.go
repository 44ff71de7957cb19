package hosttest

import (
	"encoding/json"

	"karri/nodectl/host"
	"karri/shared/id"
)

// kept is a Fake as it is written down, so that it may outlive its process.
type kept struct {
	Boot   int
	Bodies map[id.Instance]keptBody
	Wrong  []string
}

type keptBody struct {
	Seen         host.Seen
	Console      string
	Deaf, Broken bool
	Ran          int
}

// MarshalJSON writes down all that there is.
func (f *Fake) MarshalJSON() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := kept{f.boot, map[id.Instance]keptBody{}, f.wrong}
	for i, b := range f.bodies {
		k.Bodies[i] = keptBody{b.Seen, b.console, b.deaf, b.broken, b.ran}
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
	f.boot, f.wrong, f.bodies = k.Boot, k.Wrong, map[id.Instance]*body{}
	for i, b := range k.Bodies {
		f.bodies[i] = &body{b.Seen, b.Console, b.Deaf, b.Broken, b.Ran}
	}
	return nil
}
