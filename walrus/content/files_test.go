package content_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"karri/walrus/content"
	"karri/walrus/content/contenttest"
)

func openFiles(t *testing.T, root string, fail func(op, path string) error) *content.Files {
	t.Helper()
	f, err := content.OpenFiles(root, content.FilesOptions{Reserve: 1, Fail: fail})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEngines(t *testing.T) {
	t.Run("files", func(t *testing.T) {
		contenttest.Suite(t, func(t *testing.T) content.Engine { return openFiles(t, t.TempDir(), nil) })
	})
	t.Run("memory", func(t *testing.T) {
		contenttest.Suite(t, func(*testing.T) content.Engine { return contenttest.NewMemory() })
	})
}

func TestEveryFlippedBitIsSeen(t *testing.T) {
	root := t.TempDir()
	f := openFiles(t, root, nil)
	data := contenttest.Random(150_000)
	id := contenttest.Put(t, f, data)
	path := filepath.Join(root, "pieces", id[:2], id)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		bad := bytes.Clone(whole)
		bit := rand.IntN(len(bad) * 8)
		bad[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := contenttest.Get(t, f, id, 0, int64(len(data)))
		if err == nil {
			t.Fatalf("bit %d flipped: not seen", bit)
		}
		if !bytes.HasPrefix(data, got) {
			t.Fatalf("bit %d flipped: wrong bytes given", bit)
		}
	}
	for _, n := range []int{0, 10, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := contenttest.Get(t, f, id, 0, 1); err == nil {
			t.Errorf("cut to %d: not seen", n)
		}
	}
}

func TestAFileInAnothersPlaceIsSeen(t *testing.T) {
	root := t.TempDir()
	f := openFiles(t, root, nil)
	one, two := contenttest.Put(t, f, []byte("one")), contenttest.Put(t, f, []byte("two"))
	name := func(id string) string { return filepath.Join(root, "pieces", id[:2], id) }
	if err := os.Rename(name(one), name(two)); err != nil {
		t.Fatal(err)
	}
	if got, err := contenttest.Get(t, f, two, 0, 3); !errors.Is(err, content.Damaged) && err == nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestEachDiskCallFails fails the n-th call to the disk, for each n, and looks
// for a piece that is there though it was refused, or not though acknowledged.
func TestEachDiskCallFails(t *testing.T) {
	for n := 1; ; n++ {
		root, calls := t.TempDir(), 0
		f := openFiles(t, root, func(string, string) error {
			if calls++; calls == n {
				return syscall.ENOSPC
			}
			return nil
		})
		err := func() error {
			w, err := f.Create(t.Context())
			if err != nil {
				return err
			}
			defer w.Abort()
			if _, err := w.Write(make([]byte, 100_000)); err != nil {
				return err
			}
			return w.Commit()
		}()
		left := 0
		if err := f.List(t.Context(), func(content.Info) error { left++; return nil }); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			if left != 1 || n < 6 {
				t.Errorf("call %d: %d pieces", n, left)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || left != 0 {
			t.Errorf("call %d: %v, %d pieces", n, err, left)
		}
		if temps, _ := os.ReadDir(filepath.Join(root, "temp")); len(temps) != 0 {
			t.Errorf("call %d: %d temporary files", n, len(temps))
		}
	}
}

func TestSweepRemovesWhatWasBegun(t *testing.T) {
	root := t.TempDir()
	f := openFiles(t, root, nil)
	id := contenttest.Put(t, f, []byte("kept"))
	w, err := f.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("begun"))
	g := openFiles(t, root, nil) // as after a crash
	if n, err := g.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if got, err := contenttest.Get(t, g, id, 0, 4); string(got) != "kept" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestRoom(t *testing.T) {
	f, err := content.OpenFiles(t.TempDir(), content.FilesOptions{Reserve: 1 << 60})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Create(t.Context()); !errors.Is(err, content.NoSpace) {
		t.Errorf("got %v", err)
	}
}
