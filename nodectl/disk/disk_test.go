package disk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// shelf is a Source of the images in memory.
type shelf struct {
	images map[string][]byte // by hash, right or wrong
	opened atomic.Int32
	gate   chan struct{}
}

func (s *shelf) Open(_ context.Context, img wire.Image) (io.ReadCloser, error) {
	s.opened.Add(1)
	if s.gate != nil {
		<-s.gate
	}
	b, ok := s.images[img.SHA256]
	if !ok {
		return nil, fault.New(fault.Missing, "NoSuchKey", "There is no such image.")
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (s *shelf) put(b []byte) wire.Image {
	sum := sha256.Sum256(b)
	hash := hex.EncodeToString(sum[:])
	if s.images == nil {
		s.images = map[string][]byte{}
	}
	s.images[hash] = b
	return wire.Image{ID: "ami-0123456789abcdef0", SHA256: hash, Format: "raw", Bytes: int64(len(b))}
}

func raw(size int, mark byte) []byte {
	b := make([]byte, size)
	b[0], b[510], b[511] = mark, 0x55, 0xaa
	return b
}

func newDisks(t *testing.T, s *shelf, most int64) (*Disks, string) {
	t.Helper()
	dir := t.TempDir()
	c, err := OpenCache(filepath.Join(dir, "images"), s, most)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(filepath.Join(dir, "instances"), c, Users{})
	if err != nil {
		t.Fatal(err)
	}
	return d, dir
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestADiskIsAnOverlayWithStatedFormats(t *testing.T) {
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("qemu-img is not installed")
	}
	s := &shelf{}
	d, dir := newDisks(t, s, 1<<30)
	img := s.put(raw(1<<20, 1))
	i := id.New[id.Instance](nil)
	for range 2 { // twice is once
		if err := d.Make(t.Context(), i, wire.Instance{Image: img, DiskGiB: 2}); err != nil {
			t.Fatal(err)
		}
	}
	p, _ := d.Paths(i)
	out, err := exec.Command("qemu-img", "info", "-f", "qcow2", "--output", "json", p.Disk).Output()
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Size    int64  `json:"virtual-size"`
		Format  string `json:"backing-filename-format"`
		Backing string `json:"full-backing-filename"`
	}
	if err := json.Unmarshal(out, &info); err != nil || info.Size != 2<<30 || info.Format != "raw" || info.Backing != p.Base {
		t.Errorf("%+v %v", info, err)
	}
	if s.opened.Load() != 1 {
		t.Errorf("fetched %d times", s.opened.Load())
	}
	if list, err := d.List(); err != nil || len(list) != 1 || list[0] != i {
		t.Errorf("%v %v", list, err)
	}
	if err := d.Sweep(t.Context(), i); fault.KindOf(err) != fault.Conflict {
		t.Errorf("swept with its disk: %v", err)
	}
	for range 2 {
		if err := d.Remove(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	if _, has, err := d.Has(i); has || err != nil {
		t.Errorf("%v %v", has, err)
	}
	if err := d.Sweep(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if got := names(t, filepath.Join(dir, "instances")); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestADiskIsNeverSmallerThanItsImage(t *testing.T) {
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("qemu-img is not installed")
	}
	s := &shelf{}
	d, _ := newDisks(t, s, 1<<30)
	i := id.New[id.Instance](nil)
	if err := d.Make(t.Context(), i, wire.Instance{Image: s.put(raw(3<<20, 1)), DiskGiB: 0}); err != nil {
		t.Fatal(err)
	}
	p, _ := d.Paths(i)
	out, err := exec.Command("qemu-img", "info", "-f", "qcow2", p.Disk).Output()
	if err != nil || !strings.Contains(string(out), "(3145728 bytes)") {
		t.Errorf("%s %v", out, err)
	}
}

func TestWhatIsNotTheImageIsNotKept(t *testing.T) {
	good := raw(4096, 1)
	for name, b := range map[string][]byte{
		"other bytes": raw(4096, 2), "cut off": good[:4000], "longer": append(bytes.Clone(good), 0), "empty": nil,
	} {
		s := &shelf{}
		img := s.put(good)
		s.images[img.SHA256] = b
		d, dir := newDisks(t, s, 1<<30)
		err := d.Make(t.Context(), id.New[id.Instance](nil), wire.Instance{Image: img})
		if fault.CodeOf(err) != "ImageDamaged" || fault.KindOf(err) != fault.Later {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(t, filepath.Join(dir, "images")); len(got) != 0 {
			t.Errorf("%s: left %v", name, got)
		}
	}
}

func TestAHostileImageMakesNoDisk(t *testing.T) {
	s := &shelf{}
	d, _ := newDisks(t, s, 1<<30)
	i := id.New[id.Instance](nil)
	lying := s.put(append([]byte("QFI\xfb"), raw(4096, 1)[4:]...)) // registered as raw
	if err := d.Make(t.Context(), i, wire.Instance{Image: lying}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	if _, has, _ := d.Has(i); has {
		t.Error("it has a disk")
	}
	bad := lying
	bad.SHA256 = "../../etc/passwd"
	if err := d.Make(t.Context(), i, wire.Instance{Image: bad}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	for _, bad := range []id.Instance{"", "..", "i-1/../..", "vol-0123456789abcdef0"} {
		if _, err := d.Paths(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestManyInstancesFetchAnImageOnce(t *testing.T) {
	s := &shelf{gate: make(chan struct{})}
	img := s.put(raw(4096, 1))
	d, dir := newDisks(t, s, 1<<30)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			if err := d.cache.Link(t.Context(), img, filepath.Join(dir, fmt.Sprint("base", n))); err != nil {
				t.Error(err)
			}
		})
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.cache.Link(gone, img, filepath.Join(dir, "other")); !errors.Is(err, context.Canceled) {
		t.Errorf("one that gives up waits: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { close(s.gate) })
	wg.Wait()
	if n := s.opened.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}

func TestTheLongestUnusedImageGoesAndOneInUseStays(t *testing.T) {
	s := &shelf{}
	d, dir := newDisks(t, s, 10000)
	var imgs []wire.Image
	for n := range 4 {
		imgs = append(imgs, s.put(raw(4096, byte(n))))
	}
	link := func(n int, name string) {
		t.Helper()
		if err := d.cache.Link(t.Context(), imgs[n], filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link(0, "used")
	link(1, "unused")
	if err := os.Remove(filepath.Join(dir, "unused")); err != nil {
		t.Fatal(err)
	}
	link(2, "used too") // 12 KiB of 10000 bytes: image 1 goes
	got := names(t, filepath.Join(dir, "images"))
	if len(got) != 2 || !strings.Contains(fmt.Sprint(got), imgs[0].SHA256) || !strings.Contains(fmt.Sprint(got), imgs[2].SHA256) {
		t.Errorf("left: %v", got)
	}
	link(3, "and another") // all in use: over the bound rather than broken
	if got := names(t, filepath.Join(dir, "images")); len(got) != 3 {
		t.Errorf("left: %v", got)
	}
}

func TestTheConsoleIsShownFromItsEnd(t *testing.T) {
	d, _ := newDisks(t, &shelf{}, 0)
	i := id.New[id.Instance](nil)
	if _, err := d.Console(i); fault.KindOf(err) != fault.Missing {
		t.Errorf("%v", err)
	}
	p, _ := d.Paths(i)
	if err := os.Mkdir(p.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if b, err := d.Console(i); len(b) != 0 || err != nil {
		t.Errorf("%q %v", b, err)
	}
	old, now := strings.Repeat("o", 100<<10), strings.Repeat("n", 1000)
	for f, text := range map[string]string{p.Console + ".0": old, p.Console: now} {
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := d.Console(i); err != nil || len(b) != consoleTail || !strings.HasSuffix(string(b), "o"+now) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
