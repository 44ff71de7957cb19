package chunk_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/blockstore/chunk"
	"karri/blockstore/volume/volumetest"
	"karri/shared/bucket/buckettest"
	"karri/shared/fault"
	"karri/shared/id"
)

const (
	zone = "us-east-1a"
	vol  = id.Volume("vol-0123456789abcdef0")
	copy = id.Volume("vol-0123456789abcdef1")
	size = 1 << 30
	unit = 64 << 10 // size of the pieces
)

// world is a zone with a volume in it.
type world struct {
	*testing.T
	*chunk.Store
	walrus *buckettest.Fake
	disk   *volumetest.Fake
	puts   int // objects put since it was last set to 0
	dir    string
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, walrus: buckettest.New(nil), disk: volumetest.New(), dir: t.TempDir()}
	w.Store = &chunk.Store{Walrus: w.walrus, Zone: zone, Parallel: 3, Piece: unit}
	w.must(w.disk.Create(t.Context(), vol, size))
	w.must(w.walrus.Make(t.Context(), chunk.Bucket(zone)))
	w.walrus.Fail(func(op, _, _ string) error {
		if op == "Put" {
			w.puts++
		}
		return nil
	})
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) write(layer int, off int64, b byte, n int) {
	w.Helper()
	w.must(w.disk.Write(vol, layer, off, bytes.Repeat([]byte{b}, n)))
}

func going(int, int) error { return nil }

// upload freezes the layer and keeps it as snap, after parent.
func (w *world) upload(layer int, snap id.Snapshot, parent id.Snapshot, since int, report chunk.Progress) error {
	w.Helper()
	w.must(w.disk.Freeze(w.Context(), vol, layer))
	f, err := w.disk.Frozen(w.Context(), vol, layer)
	w.must(err)
	src := chunk.Source{Volume: vol, Frozen: f, Since: since}
	if parent != "" {
		src.Parent, err = w.Manifest(w.Context(), zone, parent)
		w.must(err)
	}
	m, err := w.Upload(w.Context(), src, filepath.Join(w.dir, string(snap)), report)
	if err != nil {
		return err
	}
	return w.PutManifest(w.Context(), snap, m)
}

// restored makes a volume of snap and reads n bytes of it.
func (w *world) restored(snap id.Snapshot, off int64, n int) []byte {
	w.Helper()
	m, err := w.Manifest(w.Context(), zone, snap)
	w.must(err)
	w.must(w.disk.Remove(w.Context(), copy))
	d, err := w.disk.Draft(w.Context(), copy, 2*size)
	w.must(err)
	w.must(w.Fill(w.Context(), zone, m, d, going))
	w.must(d.Commit(w.Context()))
	p := make([]byte, n)
	_, err = w.disk.Read(copy, p, off)
	w.must(err)
	return p
}

func TestOnlyChangedPiecesAreSentAndEachSnapshotIsWhole(t *testing.T) {
	w := newWorld(t)
	for i := range int64(8) {
		w.write(0, i*unit, byte(i+1), unit)
	}
	w.write(0, 100*unit, 0, unit) // zeros that were written
	w.must(w.upload(0, "snap-00000000000000001", "", -1, going))
	if w.puts != 8+1 {
		t.Errorf("%d objects were put for 8 pieces and a manifest", w.puts)
	}
	w.puts = 0
	w.write(1, 2*unit+4096, 99, 4096)
	w.write(1, 20*unit, 50, 8192)
	w.write(1, 3*unit, 0, unit) // a piece becomes zeros
	w.must(w.upload(1, "snap-00000000000000002", "snap-00000000000000001", 0, going))
	if w.puts != 2+1 {
		t.Errorf("%d objects were put for 2 changed pieces and a manifest", w.puts)
	}
	w.must(w.Remove(t.Context(), "snap-00000000000000001"))
	removed, _, err := w.Sweep(t.Context(), time.Now().Add(time.Hour))
	if err != nil || removed != 2 {
		t.Errorf("sweep removed %d, %v; want the old pieces 2 and 3", removed, err)
	}
	got := w.restored("snap-00000000000000002", 0, 8*unit)
	for i := range int64(8) {
		want := bytes.Repeat([]byte{byte(i + 1)}, unit)
		switch i {
		case 2:
			for n := range 4096 {
				want[4096+n] = 99
			}
		case 3:
			clear(want)
		}
		if !bytes.Equal(got[i*unit:(i+1)*unit], want) {
			t.Errorf("piece %d is not what was written", i)
		}
	}
	if got := w.restored("snap-00000000000000002", 20*unit, 8192); !bytes.Equal(got, bytes.Repeat([]byte{50}, 8192)) {
		t.Error("the new piece is not what was written")
	}
}

func TestAnUploadGoesOnWhereItWasCutOff(t *testing.T) {
	w := newWorld(t)
	for i := range int64(300) {
		w.write(0, i*unit, byte(i%250+1), 4096)
		w.must(w.disk.Write(vol, 0, i*unit+8192, append([]byte{byte(i), byte(i >> 8)}, make([]byte, 4094)...)))
	}
	stop := errors.New("stop")
	err := w.upload(0, "snap-00000000000000001", "", -1, func(done, all int) error {
		if all != 300 {
			t.Errorf("%d of %d", done, all)
		}
		if done > 0 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || w.puts == 0 || w.puts >= 300 {
		t.Fatalf("%v after %d puts", err, w.puts)
	}
	first := w.puts
	w.walrus.Fail(func(op, _, _ string) error {
		if op == "Put" || op == "Head" {
			w.puts++
		}
		return nil
	})
	w.Store.Parallel = 1
	w.must(w.upload(0, "snap-00000000000000001", "", -1, going))
	if w.puts-first != 2*(300-first)+1 {
		t.Errorf("%d puts and heads for the %d pieces that were left", w.puts-first, 300-first)
	}
	got := w.restored("snap-00000000000000001", 0, 300*unit)
	for i := range 300 {
		if got[i*unit] != byte(i%250+1) {
			t.Errorf("piece %d begins with %d", i, got[i*unit])
		}
	}
}

func TestADamagedPieceIsNeverGivenOut(t *testing.T) {
	w := newWorld(t)
	w.write(0, 0, 7, 4096)
	w.must(w.upload(0, "snap-00000000000000001", "", -1, going))
	m, err := w.Manifest(t.Context(), zone, "snap-00000000000000001")
	w.must(err)
	h := m.Pieces[0].Hash
	bad := bytes.Repeat([]byte{8}, unit)
	_, err = w.walrus.Put(t.Context(), chunk.Bucket(zone), "chunk/"+h.String(), bytes.NewReader(bad), unit)
	w.must(err)
	if err := w.Get(t.Context(), zone, h, make([]byte, unit)); fault.CodeOf(err) != chunk.Damaged.Code {
		t.Errorf("other bytes under the name: %v", err)
	}
	_, err = w.walrus.Put(t.Context(), chunk.Bucket(zone), "chunk/"+h.String(), bytes.NewReader(bad[:10]), 10)
	w.must(err)
	if err := w.Get(t.Context(), zone, h, make([]byte, unit)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short piece: %v", err)
	}
}

func TestTheSweepSparesWhatItDoesNotUnderstand(t *testing.T) {
	w := newWorld(t)
	w.write(0, 0, 7, 4096)
	w.must(w.upload(0, "snap-00000000000000001", "", -1, going))
	w.must(w.Remove(t.Context(), "snap-00000000000000001"))
	if removed, young, err := w.Sweep(t.Context(), time.Now().Add(-time.Hour)); err != nil || removed != 0 || young != 1 {
		t.Errorf("young pieces: %d removed, %d young, %v", removed, young, err)
	}
	_, err := w.walrus.Put(t.Context(), chunk.Bucket(zone), "snapshot/snap-00000000000000002", strings.NewReader("{}"), 2)
	w.must(err)
	if removed, _, err := w.Sweep(t.Context(), time.Now().Add(time.Hour)); err == nil || removed != 0 {
		t.Errorf("with a manifest that cannot be read: %d removed, %v", removed, err)
	}
	w.must(w.Remove(t.Context(), "snap-00000000000000002"))
	if removed, _, err := w.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil || removed != 1 {
		t.Errorf("at last: %d removed, %v", removed, err)
	}
	w.must(w.Remove(context.Background(), "snap-00000000000000009"))
}

const goodManifest = `{"version":1,"volume":"vol-0123456789abcdef0","size":3145728,"piece":1048576,"pieces":[` +
	`{"i":0,"h":"` + oneHash + `"},{"i":2,"h":"` + oneHash + `"}]}`
const oneHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestManifestsAreRefused(t *testing.T) {
	if _, err := chunk.Decode(strings.NewReader(goodManifest)); err != nil {
		t.Fatal("a good manifest is refused:", err)
	}
	swap := func(old, new string) string {
		if !strings.Contains(goodManifest, old) {
			t.Fatalf("%q is not in the manifest", old)
		}
		return strings.Replace(goodManifest, old, new, 1)
	}
	for what, text := range map[string]string{
		"empty":        ``,
		"no object":    `[]`,
		"cut off":      goodManifest[:len(goodManifest)-1],
		"more behind":  goodManifest + "{}",
		"unknown key":  swap(`"version"`, `"x":1,"version"`),
		"version":      swap(`"version":1`, `"version":2`),
		"no volume":    swap(`vol-`, `../vol-`),
		"no size":      swap(`3145728`, `0`),
		"exabytes":     swap(`3145728`, `9223372036854775807`),
		"tiny pieces":  swap(`"piece":1048576`, `"piece":1`),
		"huge pieces":  swap(`"piece":1048576`, `"piece":1073741824`),
		"odd pieces":   swap(`"piece":1048576`, `"piece":1048577`),
		"no pieces":    swap(`"piece":1048576`, `"piece":0`),
		"twice":        swap(`"i":2`, `"i":0`),
		"negative":     swap(`"i":0`, `"i":-1`),
		"outside":      swap(`"i":2`, `"i":3`),
		"overflow":     swap(`"i":2`, `"i":9223372036854775807`),
		"short hash":   swap(oneHash, oneHash[2:]),
		"capital hash": swap(oneHash, strings.ToUpper(oneHash)),
		"path in hash": swap(oneHash, "../"+oneHash[3:]),
	} {
		if _, err := chunk.Decode(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(goodManifest))
	f.Add([]byte(`{"version":1,"pieces":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := chunk.Decode(bytes.NewReader(b))
		if err != nil {
			return
		}
		out, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chunk.Decode(bytes.NewReader(out)); err != nil {
			t.Fatalf("what was accepted is refused when written again: %v", err)
		}
		for _, p := range m.Pieces {
			if p.Index < 0 || p.Index*m.Piece >= m.Size {
				t.Fatalf("piece %d of a volume of %d bytes", p.Index, m.Size)
			}
		}
	})
}
