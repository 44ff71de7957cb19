package pretend

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"karri/nodectl/keep"
	"karri/shared/durable"
	"karri/shared/id"
)

// What hosts and disks have is kept in the folder of the cloud, so that a cloud
// that is ended and opened again finds them as they were: hosts that ran on
// while nobody looked. After a kill they are as they were at most keepEvery
// before, which is to the daemons as if a host had lost its last writes.

const keepEvery = time.Second

// keptHost is a Host as it is written down.
type keptHost struct {
	World json.RawMessage
	Notes map[id.Instance]keep.Note
}

// MarshalJSON writes down all that there is.
func (h *Host) MarshalJSON() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	world, err := h.Fake.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return json.Marshal(keptHost{world, h.notes})
}

// UnmarshalJSON puts what was written down in place of what there is.
func (h *Host) UnmarshalJSON(text []byte) error {
	k := keptHost{Notes: map[id.Instance]keep.Note{}}
	if err := json.Unmarshal(text, &k); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = k.Notes
	return h.Fake.UnmarshalJSON(k.World)
}

// worlds names the file of each thing that is kept.
func (c *Cloud) worlds() map[string]any {
	all := map[string]any{}
	for name, h := range c.Hosts {
		all[filepath.Join(c.Dir, "hosts", name+".json")] = h
	}
	for zone, s := range c.Stores {
		all[filepath.Join(c.Dir, "hosts", "volumes-"+zone+".json")] = s
	}
	return all
}

func (c *Cloud) readWorlds() error {
	if err := os.MkdirAll(filepath.Join(c.Dir, "hosts"), 0o700); err != nil {
		return err
	}
	c.kept = map[string][]byte{}
	for file, world := range c.worlds() {
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(b, world)
		}
		if err != nil {
			return err
		}
		c.kept[file] = b
	}
	return nil
}

// writeWorlds writes what changed since it was written last.
func (c *Cloud) writeWorlds() error {
	for file, world := range c.worlds() {
		b, err := json.Marshal(world)
		if err == nil && !bytes.Equal(b, c.kept[file]) {
			err = durable.WriteFile(file, b, 0o600)
		}
		if err != nil {
			return err
		}
		c.kept[file] = b
	}
	return nil
}

// keepWorlds writes them again and again until stop is closed, and once more.
func (c *Cloud) keepWorlds(stop <-chan struct{}) error {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		if err := c.writeWorlds(); err != nil {
			return err
		}
		select {
		case <-stop:
			return c.writeWorlds()
		case <-ticker.C:
		}
	}
}
