package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"karri/shared/fault"
)

func sumOf(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// shelf is walrus, with a count of pulls.
type shelf struct {
	objects map[string][]byte
	pulls   atomic.Int64
	gate    chan struct{} // a pull waits here, if set
	cut     bool
}

func (s *shelf) source(ctx context.Context, bucket, key string) (io.ReadCloser, int64, error) {
	s.pulls.Add(1)
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	b, ok := s.objects[bucket+"/"+key]
	if !ok {
		return nil, 0, fault.New(fault.Missing, "NoSuchKey", "The specified key does not exist.")
	}
	var r io.Reader = bytes.NewReader(b)
	if s.cut {
		r = io.MultiReader(bytes.NewReader(b[:len(b)/2]), broken{})
	}
	return io.NopCloser(r), int64(len(b)), nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("cut off") }

func open(t *testing.T, dir string, bound int64, s *shelf) *Cache {
	t.Helper()
	c, err := Open(dir, bound, s.source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func read(t *testing.T, c *Cache, sum, bucket, key string) ([]byte, error) {
	t.Helper()
	f, err := c.Image(t.Context(), sum, bucket, key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func TestManyAskersOnePull(t *testing.T) {
	img := bytes.Repeat([]byte("image"), 1000)
	s := &shelf{objects: map[string][]byte{"b/k": img}, gate: make(chan struct{})}
	dir := t.TempDir()
	c := open(t, dir, 1<<20, s)
	impatient, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { _, err := c.Image(impatient, sumOf(img), "b", "k"); gone <- err }()
	for s.pulls.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if b, err := read(t, c, sumOf(img), "b", "k"); err != nil || !bytes.Equal(b, img) {
				t.Errorf("%d bytes, %v", len(b), err)
			}
		})
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(s.gate)
	wg.Wait()
	c.Close()
	c = open(t, dir, 1<<20, s) // a restart
	if b, err := read(t, c, sumOf(img), "b", "k"); err != nil || !bytes.Equal(b, img) {
		t.Error(err)
	}
	if n := s.pulls.Load(); n != 1 {
		t.Errorf("%d pulls", n)
	}
}

func TestNothingWrongGetsTheName(t *testing.T) {
	img := bytes.Repeat([]byte("image"), 1000)
	s := &shelf{objects: map[string][]byte{"b/k": img}}
	dir := t.TempDir()
	c := open(t, dir, 1<<20, s)
	other := sumOf([]byte("other"))
	if _, err := read(t, c, other, "b", "k"); fault.CodeOf(err) != "ImageDamaged" {
		t.Errorf("other bytes: %v", err)
	}
	s.cut = true
	if _, err := read(t, c, sumOf(img), "b", "k"); err == nil {
		t.Error("half an image was given out")
	}
	s.cut = false
	if _, err := read(t, c, sumOf(img), "b", "none"); fault.KindOf(err) != fault.Missing {
		t.Errorf("no object: %v", err)
	}
	for _, sum := range []string{"", "../../etc/passwd", other[:63], other + "0"} {
		if _, err := read(t, c, sum, "b", "k"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", sum, err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	if b, err := read(t, c, sumOf(img), "b", "k"); err != nil || !bytes.Equal(b, img) {
		t.Error(err)
	}
}

func TestTheOldestGoes(t *testing.T) {
	s := &shelf{objects: map[string][]byte{}}
	dir := t.TempDir()
	c := open(t, dir, 250, s)
	var sums []string
	for i := range 3 {
		img := bytes.Repeat([]byte{byte(i)}, 100)
		sums = append(sums, sumOf(img))
		s.objects["b/"+sums[i]] = img
	}
	get := func(i int) {
		t.Helper()
		if _, err := read(t, c, sums[i], "b", sums[i]); err != nil {
			t.Fatal(err)
		}
	}
	get(0)
	get(1)
	old := time.Now().Add(-time.Hour)
	for i, at := range []time.Time{old.Add(time.Minute), old} {
		if err := os.Chtimes(filepath.Join(dir, sums[i]), at, at); err != nil {
			t.Fatal(err)
		}
	}
	get(1) // used now: 0 is the oldest
	get(2)
	if _, err := os.Stat(filepath.Join(dir, sums[0])); !os.IsNotExist(err) {
		t.Errorf("the oldest is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, sums[1])); err != nil {
		t.Error(err)
	}
	s.objects["b/big"] = make([]byte, 251)
	if _, err := read(t, c, sumOf(s.objects["b/big"]), "b", "big"); fault.KindOf(err) != fault.Full {
		t.Errorf("larger than the cache: %v", err)
	}
}
