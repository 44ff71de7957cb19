package content_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"karri/shared/crash/crashtest"
	"karri/walrus/content"
	"karri/walrus/content/contenttest"
)

func openFiles(t testing.TB, root string, fail func(op, path string) error) *content.Files {
	t.Helper()
	f, err := content.OpenFiles(root, content.FilesOptions{Reserve: 1, Fail: fail})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestEngines(t *testing.T) {
	t.Run("files", func(t *testing.T) {
		base := t.TempDir()
		root := func(place string) string { return filepath.Join(base, strings.ReplaceAll(place, "/", "-")) }
		contenttest.Suite(t, contenttest.Maker{
			Open: func(t *testing.T, place string, fail func(op, path string) error) content.Engine {
				return openFiles(t, root(place), fail)
			},
			Faults: true,
			Bits: func(t *testing.T, place, id string) int {
				_, _, n := stored(t, root(place), id)
				return int(8 * n)
			},
			Flip: func(t *testing.T, place, id string, bit int) {
				path, from, _ := stored(t, root(place), id)
				flip(t, path, 8*from+int64(bit))
			},
		})
	})
	t.Run("memory", func(t *testing.T) {
		places := map[string]*contenttest.Memory{}
		contenttest.Suite(t, contenttest.Maker{Open: func(_ *testing.T, place string, _ func(string, string) error) content.Engine {
			if places[place] == nil {
				places[place] = contenttest.NewMemory()
			}
			return places[place]
		}})
	})
}

// stored returns where the bytes of a piece are.
func stored(t *testing.T, root, id string) (path string, from, n int64) {
	t.Helper()
	if id[0] != 's' {
		path = filepath.Join(root, "pieces", id[:2], id)
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return path, 0, st.Size()
	}
	path = filepath.Join(root, "segments", "open", id[1:16])
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join(root, "segments", id[1:16])
	}
	page, err1 := strconv.ParseInt(id[16:24], 16, 64)
	size, err2 := strconv.ParseInt(id[24:], 16, 64)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return path, page * 4096, 64 + (size+65535)/65536*4 + size
}

func flip(t *testing.T, path string, bit int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], bit/8); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << (bit % 8)
	if _, err := f.WriteAt(b[:], bit/8); err != nil {
		t.Fatal(err)
	}
}

func TestACutFileIsSeen(t *testing.T) {
	root := t.TempDir()
	f := openFiles(t, root, nil)
	for _, size := range []int{100_000, 2 << 20} {
		id := contenttest.Put(t, f, contenttest.Random(size))
		path, from, n := stored(t, root, id)
		for _, left := range []int64{n - 1, n / 2, 100, 10, 0} {
			if err := os.Truncate(path, from+left); err != nil {
				t.Fatal(err)
			}
			if got, err := contenttest.Get(t, f, id, 0, int64(size)); err == nil {
				t.Errorf("cut to %d: not seen, %d bytes", left, len(got))
			}
		}
	}
}

func TestBytesInAnothersPlaceAreSeen(t *testing.T) {
	root := t.TempDir()
	f := openFiles(t, root, nil)
	for _, size := range []int{3, 2 << 20} {
		data := contenttest.Random(size)
		one, two := contenttest.Put(t, f, data), contenttest.Put(t, f, bytes.ToUpper(data))
		from, at, n := stored(t, root, one)
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		to, there, _ := stored(t, root, two)
		w, err := os.OpenFile(to, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteAt(b[at:at+n], there); err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
		if got, err := contenttest.Get(t, f, two, 0, int64(size)); !errors.Is(err, content.Damaged) || len(got) > 0 {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
	}
}

// used returns how many bytes of disk the content of a store takes.
func used(t *testing.T, root string) (n int64, files int) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err == nil {
			n += st.Sys().(*syscall.Stat_t).Blocks * 512
			files++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, files
}

func TestSpaceComesBack(t *testing.T) {
	root := t.TempDir()
	f := openFiles(t, root, nil)
	kept := map[string]int64{}
	var ids []string
	for i := range 60 {
		id := contenttest.Put(t, f, contenttest.Random(100_000+i*1000))
		if i%10 == 0 {
			kept[id] = int64(100_000 + i*1000)
		} else {
			ids = append(ids, id)
		}
	}
	before, _ := used(t, root)
	for _, id := range ids {
		if err := f.Remove(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	after, _ := used(t, root)
	if before < 7_000_000 || after > 7*160_000 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
	contenttest.MustHold(t, f, kept)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	g := openFiles(t, root, nil)
	contenttest.MustHold(t, g, kept)
	for id := range kept {
		if err := g.Remove(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if n, files := used(t, root); n != 0 || files != 0 {
		t.Errorf("%d bytes in %d files are left", n, files)
	}
}

func TestRoom(t *testing.T) {
	f, err := content.OpenFiles(t.TempDir(), content.FilesOptions{Reserve: 1 << 60})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Create(t.Context(), -1); !errors.Is(err, content.NoSpace) {
		t.Errorf("got %v", err)
	}
}

// TestMain is the store's user that is to crash, when it is told to.
func TestMain(m *testing.M) {
	if root := os.Getenv("KARRI_TEST_STORE"); root != "" {
		fmt.Fprintln(os.Stderr, doomed(root))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// doomed puts and removes pieces and says what it was acknowledged, until the
// crash comes.
func doomed(root string) error {
	f, err := content.OpenFiles(root, content.FilesOptions{Reserve: 1})
	if err != nil {
		return err
	}
	if _, err := f.Sweep(nil); err != nil {
		return err
	}
	for round := range 3 {
		for _, size := range []int{70_000, 300_000, 2 << 20} {
			begun, err := f.Create(nil, int64(size))
			if err != nil {
				return err
			}
			_, _ = begun.Write(make([]byte, size/2)) // it is never committed
			w, err := f.Create(nil, int64(size))
			if err != nil {
				return err
			}
			if _, err := w.Write(contenttest.Random(size)); err != nil {
				return err
			}
			if err := w.Commit(); err != nil {
				return err
			}
			fmt.Println("put", w.ID(), size)
			if round == 1 {
				fmt.Println("removing", w.ID(), size)
				if err := f.Remove(nil, w.ID()); err != nil {
					return err
				}
			}
			begun.Abort()
		}
		if round == 1 {
			if err := f.Close(); err != nil {
				return err
			}
			if f, err = content.OpenFiles(root, content.FilesOptions{Reserve: 1}); err != nil {
				return err
			}
		}
	}
	return errors.New("the place was not passed")
}

func TestCrashEverywhere(t *testing.T) {
	for _, point := range crashtest.Points(t, ".") {
		t.Run(point, func(t *testing.T) {
			root := t.TempDir()
			put, maybe := map[string]int64{}, map[string]bool{}
			for _, at := range []string{point, "walrus.content.headed"} { // and again with what is left
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), "KARRI_TEST_STORE="+root, "KARRI_CRASH_AT="+at)
				out, err := cmd.Output()
				if cmd.ProcessState.ExitCode() != 137 {
					t.Fatalf("%v, %s", err, cmd.Stderr)
				}
				for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
					w := strings.Fields(lines.Text())
					if w[0] == "removing" {
						maybe[w[1]] = true
						delete(put, w[1])
					} else if put[w[1]], err = strconv.ParseInt(w[2], 10, 64); err != nil {
						t.Fatal(err)
					}
				}
			}
			f := openFiles(t, root, nil)
			if _, err := f.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			for id, size := range put {
				got, err := contenttest.Get(t, f, id, 0, size)
				if err != nil || !bytes.Equal(got, contenttest.Random(int(size))) {
					t.Errorf("%s of %d bytes: %d bytes, %v", id, size, len(got), err)
				}
			}
			for id := range contenttest.List(t, f) { // what nobody claims is an orphan
				if err := f.Remove(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			if n, files := used(t, root); n != 0 || files != 0 {
				t.Errorf("%d bytes in %d files are left", n, files)
			}
		})
	}
}
