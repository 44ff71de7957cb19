package keep

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"karri/shared/crash"
	"karri/shared/durable"
	"karri/shared/fault"
	"karri/shared/id"
)

// A Note is what must be remembered of an instance and cannot be read from the
// world: libvirt forgets why a machine is off when it is restarted, and does not
// know whom to blame.
type Note struct {
	Boot     string    `json:"boot,omitempty"`     // the host's boot in which the machine was last let run
	Launched time.Time `json:"launched,omitzero"`  // the wish that this fulfilled
	Started  time.Time `json:"started,omitzero"`   // when
	Stopping bool      `json:"stopping,omitempty"` // it is off, or about to be, because we wanted it
	Ended    string    `json:"ended,omitempty"`    // it ended by itself: why, in EC2's codes
	Reboots  uint64    `json:"reboots,omitempty"`  // the last reboot that was done
	Gone     time.Time `json:"gone,omitzero"`      // when all but the console was removed
}

// Notes keeps a note per instance, on disk before Write returns.
type Notes interface {
	Read(i id.Instance) (Note, error) // the zero Note where there is none
	Write(i id.Instance, n Note) error
}

// Folder is the Notes in the instances' own folders below a path, so that they
// go with what they are about.
type Folder string

func (f Folder) path(i id.Instance) (string, error) {
	if !id.Valid[id.Instance](string(i)) {
		return "", fault.New(fault.Invalid, "InvalidInstanceID.Malformed", "%q is not an instance's id.", string(i))
	}
	return filepath.Join(string(f), string(i), "note.json"), nil
}

// Read implements Notes.
func (f Folder) Read(i id.Instance) (n Note, err error) {
	path, err := f.path(i)
	if err != nil {
		return n, err
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	return n, json.Unmarshal(b, &n)
}

// Write implements Notes.
func (f Folder) Write(i id.Instance, n Note) error {
	path, err := f.path(i)
	if err != nil {
		return err
	}
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	crash.Here("note.write")
	if err := durable.WriteFile(path, b, 0o600); err != nil {
		return err
	}
	crash.Here("note.written")
	return nil
}
