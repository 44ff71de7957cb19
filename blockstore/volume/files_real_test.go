//go:build real

package volume_test

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"karri/blockstore/volume"
	"karri/blockstore/volume/volumetest"
	"karri/shared/id"
)

// qemuIO runs one command on the volume's stack, named by the top's header:
// so the headers are proved as well.
func qemuIO(t *testing.T, f *volume.Files, v id.Volume, command string) *exec.Cmd {
	t.Helper()
	s, err := f.Seen(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command("qemu-io", "-f", "qcow2", "-d", "unmap", "-c", command, s.Layers[len(s.Layers)-1].Path)
}

func TestFiles(t *testing.T) {
	volumetest.Suite(t, func(t *testing.T) volumetest.World {
		f, err := volume.OpenFiles(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { check(t, f) })
		return volumetest.World{
			Engine: f,
			Write: func(v id.Volume, off int64, p []byte) error {
				command := fmt.Sprintf("discard %d 4096", off)
				if p != nil {
					command = fmt.Sprintf("write -P %d %d %d", p[0], off, len(p))
				} else if off%65536 != 0 { // qcow2 discards whole clusters only
					return nil
				} else {
					command = fmt.Sprintf("discard %d 65536", off)
				}
				out, err := qemuIO(t, f, v, command).CombinedOutput()
				if err != nil {
					return fmt.Errorf("%w: %s", err, out)
				}
				return nil
			},
			Hold: func(v id.Volume) func() {
				cmd := qemuIO(t, f, v, "sleep 60000")
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(300 * time.Millisecond) // another process; it tells nobody when it has the lock
				return func() {
					_ = cmd.Process.Kill()
					_ = cmd.Wait()
				}
			},
		}
	})
}

// check has qemu judge every file that a test left.
func check(t *testing.T, f *volume.Files) {
	all, err := f.Volumes(t.Context())
	if err != nil && t.Context().Err() == nil {
		t.Error(err)
	}
	for _, v := range all {
		s, err := f.Seen(t.Context(), v)
		if err != nil {
			t.Error(err)
		}
		for _, l := range s.Layers {
			if l.Format != "qcow2" {
				continue
			}
			if out, err := exec.Command("qemu-img", "check", "-f", "qcow2", l.Path).CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", l.Path, err, out)
			}
		}
	}
}
