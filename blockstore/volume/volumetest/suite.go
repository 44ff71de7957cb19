package volumetest

import (
	"bytes"
	"context"
	"io"
	"reflect"
	"testing"

	"karri/blockstore/volume"
	"karri/shared/fault"
	"karri/shared/id"
)

// A World is an engine with the hands of a guest.
type World struct {
	volume.Engine
	// Write writes to the volume's top layer; nil p discards one block.
	Write func(v id.Volume, off int64, p []byte) error
	// Hold opens the volume for writing until the returned function is called.
	Hold func(v id.Volume) func()
}

const (
	kib  = 1 << 10
	mib  = 1 << 20
	size = 64 * mib
	vol  = id.Volume("vol-0123456789abcdef0")
)

// Suite is what every engine does. open returns an empty one.
func Suite(t *testing.T, open func(t *testing.T) World) {
	for name, test := range map[string]func(*testing.T, World){
		"nothing": nothing, "life": life, "freeze": freeze, "increments": increments,
		"discard": discard, "merge": merge, "draft": drafts, "held": held,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func seen(t *testing.T, w World) volume.Seen {
	t.Helper()
	s, err := w.Seen(t.Context(), vol)
	must(t, err)
	return s
}

func numbers(s volume.Seen) []int {
	var all []int
	for _, l := range s.Layers {
		all = append(all, l.Number)
	}
	return all
}

func fill(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

// holds checks that the volume had n bytes b at off when the layer was frozen.
func holds(t *testing.T, w World, layer int, off int64, n int, b byte) {
	t.Helper()
	f, err := w.Frozen(t.Context(), vol, layer)
	must(t, err)
	defer f.Close()
	got := make([]byte, n)
	_, err = f.ReadAt(got, off)
	must(t, err)
	if !bytes.Equal(got, fill(b, n)) {
		t.Fatalf("layer %d at %d: has not %d bytes %d", layer, off, n, b)
	}
}

func nothing(t *testing.T, w World) {
	if s := seen(t, w); s.Exists() || s.Remains {
		t.Fatalf("seen %+v of nothing", s)
	}
	must(t, w.Remove(t.Context(), vol))
	for what, err := range map[string]error{
		"freeze": w.Freeze(t.Context(), vol, 0),
		"merge":  w.Merge(t.Context(), vol, 0),
	} {
		if fault.KindOf(err) != fault.Missing {
			t.Errorf("%s of nothing: %v", what, err)
		}
	}
	if _, err := w.Frozen(t.Context(), vol, 0); fault.KindOf(err) != fault.Missing {
		t.Errorf("frozen of nothing: %v", err)
	}
}

func life(t *testing.T, w World) {
	must(t, w.Create(t.Context(), vol, size))
	must(t, w.Write(vol, mib, fill(7, 4*kib)))
	must(t, w.Create(t.Context(), vol, size)) // again: must not empty it
	if s := seen(t, w); s.Size != size || !reflect.DeepEqual(numbers(s), []int{0}) || s.Remains {
		t.Fatalf("seen %+v", s)
	}
	must(t, w.Freeze(t.Context(), vol, 0))
	holds(t, w, 0, mib, 4*kib, 7)
	all, err := w.Volumes(t.Context())
	if err != nil || !reflect.DeepEqual(all, []id.Volume{vol}) {
		t.Fatalf("volumes %v, %v", all, err)
	}
	must(t, w.Remove(t.Context(), vol))
	if s := seen(t, w); s.Exists() || s.Remains {
		t.Fatalf("seen %+v after its removal", s)
	}
	if all, err = w.Volumes(t.Context()); err != nil || len(all) > 0 {
		t.Fatalf("volumes %v, %v after its removal", all, err)
	}
}

func freeze(t *testing.T, w World) {
	must(t, w.Create(t.Context(), vol, size))
	if _, err := w.Frozen(t.Context(), vol, 0); fault.KindOf(err) != fault.Missing {
		t.Fatalf("a layer that takes writes was opened as frozen: %v", err)
	}
	must(t, w.Write(vol, 0, fill(1, 128*kib)))
	must(t, w.Freeze(t.Context(), vol, 0))
	must(t, w.Freeze(t.Context(), vol, 0))
	must(t, w.Write(vol, 64*kib, fill(2, 128*kib)))
	if got := numbers(seen(t, w)); !reflect.DeepEqual(got, []int{0, 1}) {
		t.Fatalf("layers %v", got)
	}
	holds(t, w, 0, 0, 128*kib, 1)
	holds(t, w, 0, 128*kib, 64*kib, 0)
	f, err := w.Frozen(t.Context(), vol, 0)
	must(t, err)
	defer f.Close()
	tail := make([]byte, 8*kib)
	if n, err := f.ReadAt(tail, size-4*kib); n != 4*kib || err != io.EOF {
		t.Errorf("read over the end: %d, %v", n, err)
	}
	if f.Size() != size {
		t.Errorf("size %d", f.Size())
	}
}

// covers checks that runs are in order, within the volume, hold what they must
// and not what they must not.
func covers(t *testing.T, runs []volume.Run, in, out []int64) {
	t.Helper()
	end := int64(0)
	has := func(off int64) bool {
		for _, r := range runs {
			if r.Start <= off && off < r.Start+r.Length {
				return true
			}
		}
		return false
	}
	for _, r := range runs {
		if r.Start < end || r.Length <= 0 || r.Start+r.Length > size {
			t.Fatalf("runs %v", runs)
		}
		end = r.Start + r.Length
	}
	for _, off := range in {
		if !has(off) {
			t.Errorf("runs %v miss %d", runs, off)
		}
	}
	for _, off := range out {
		if has(off) {
			t.Errorf("runs %v hold %d", runs, off)
		}
	}
}

func changed(t *testing.T, w World, layer, since int) []volume.Run {
	t.Helper()
	f, err := w.Frozen(t.Context(), vol, layer)
	must(t, err)
	defer f.Close()
	return f.Changed(since)
}

func increments(t *testing.T, w World) {
	must(t, w.Create(t.Context(), vol, size))
	for layer, off := range []int64{1 * mib, 3 * mib, 5 * mib} {
		must(t, w.Write(vol, off, fill(byte(layer+1), 64*kib)))
		must(t, w.Freeze(t.Context(), vol, layer))
	}
	covers(t, changed(t, w, 0, -1), []int64{1 * mib}, []int64{0, 3 * mib, 5 * mib})
	covers(t, changed(t, w, 2, -1), []int64{1 * mib, 3 * mib, 5 * mib}, []int64{0, 2 * mib})
	covers(t, changed(t, w, 2, 0), []int64{3 * mib, 5 * mib}, []int64{1 * mib})
	covers(t, changed(t, w, 2, 1), []int64{5 * mib}, []int64{1 * mib, 3 * mib})
	covers(t, changed(t, w, 2, 2), nil, []int64{1 * mib, 3 * mib, 5 * mib})
}

func discard(t *testing.T, w World) {
	must(t, w.Create(t.Context(), vol, size))
	must(t, w.Write(vol, 0, fill(1, 256*kib)))
	must(t, w.Freeze(t.Context(), vol, 0))
	for off := int64(64 * kib); off < 128*kib; off += block {
		must(t, w.Write(vol, off, nil))
	}
	must(t, w.Freeze(t.Context(), vol, 1))
	holds(t, w, 0, 0, 256*kib, 1)
	holds(t, w, 1, 0, 64*kib, 1)
	holds(t, w, 1, 64*kib, 64*kib, 0)
	holds(t, w, 1, 128*kib, 128*kib, 1)
	covers(t, changed(t, w, 1, 0), []int64{64 * kib}, []int64{0, 192 * kib})
}

func merge(t *testing.T, w World) {
	ctx := context.Background()
	must(t, w.Create(ctx, vol, size))
	for layer := range 3 {
		must(t, w.Write(vol, int64(layer)*32*kib, fill(byte(layer+1), 64*kib)))
		must(t, w.Freeze(ctx, vol, layer))
	}
	must(t, w.Write(vol, 8*mib, fill(9, 4*kib)))
	open, err := w.Frozen(ctx, vol, 2)
	must(t, err)
	defer open.Close()
	must(t, w.Merge(ctx, vol, 1))
	must(t, w.Merge(ctx, vol, 1))
	if s := seen(t, w); !reflect.DeepEqual(numbers(s), []int{0, 2, 3}) {
		t.Fatalf("layers %v", numbers(s))
	}
	must(t, w.Merge(ctx, vol, 2))
	if s := seen(t, w); !reflect.DeepEqual(numbers(s), []int{0, 3}) || len(s.Under(2)) > 0 {
		t.Fatalf("layers %v", numbers(s))
	}
	if err := w.Merge(ctx, vol, 3); err == nil {
		t.Error("the layer that takes the writes was merged")
	}
	for off, b := range map[int64]byte{0: 1, 32 * kib: 2, 64 * kib: 3, 96 * kib: 3} {
		holds(t, w, 2, off, 32*kib, b)
		got := make([]byte, 32*kib)
		if _, err := open.ReadAt(got, off); err != nil || !bytes.Equal(got, fill(b, 32*kib)) {
			t.Errorf("what was open before the merge has not %d at %d (%v)", b, off, err)
		}
	}
	must(t, w.Freeze(ctx, vol, 3))
	covers(t, changed(t, w, 3, 2), []int64{8 * mib}, []int64{0, 64 * kib})
	holds(t, w, 3, 8*mib, 4*kib, 9)
	holds(t, w, 3, 0, 32*kib, 1)
}

func drafts(t *testing.T, w World) {
	d, err := w.Draft(t.Context(), vol, size)
	must(t, err)
	_, err = d.WriteAt(fill(4, 64*kib), 2*mib)
	must(t, err)
	if d.Filled() != 0 {
		t.Errorf("a new draft is filled to %d", d.Filled())
	}
	must(t, d.Save(3))
	must(t, d.Close())
	if s := seen(t, w); s.Exists() || !s.Remains {
		t.Fatalf("a draft is seen as %+v", s)
	}
	d, err = w.Draft(t.Context(), vol, size)
	must(t, err)
	defer d.Close()
	if d.Filled() != 3 {
		t.Errorf("the draft is filled to %d", d.Filled())
	}
	_, err = d.WriteAt(fill(5, 64*kib), 4*mib)
	must(t, err)
	must(t, d.Commit(t.Context()))
	s := seen(t, w)
	if !s.Exists() || s.Remains || s.Size != size || !reflect.DeepEqual(numbers(s), []int{0, 1}) {
		t.Fatalf("a committed draft is seen as %+v", s)
	}
	if s.Layers[len(s.Layers)-1].Format != "qcow2" {
		t.Error("the top layer is not qcow2")
	}
	holds(t, w, 0, 2*mib, 64*kib, 4)
	must(t, w.Write(vol, 3*mib, fill(6, 64*kib)))
	must(t, w.Freeze(t.Context(), vol, 1))
	covers(t, changed(t, w, 1, 0), []int64{3 * mib}, []int64{2 * mib, 4 * mib})
	must(t, w.Merge(t.Context(), vol, 1))
	holds(t, w, 1, 2*mib, 64*kib, 4)
	holds(t, w, 1, 3*mib, 64*kib, 6)
	holds(t, w, 1, 4*mib, 64*kib, 5)
	if _, err := w.Draft(t.Context(), vol, size); err == nil {
		t.Error("a draft of a volume that exists")
	}
	must(t, w.Remove(t.Context(), vol))
	if d, err = w.Draft(t.Context(), vol, size); err != nil {
		t.Fatal(err)
	}
	must(t, d.Close())
	must(t, w.Remove(t.Context(), vol))
	if s := seen(t, w); s.Exists() || s.Remains {
		t.Fatalf("a removed draft is seen as %+v", s)
	}
}

func held(t *testing.T, w World) {
	must(t, w.Create(t.Context(), vol, size))
	must(t, w.Freeze(t.Context(), vol, 0))
	must(t, w.Freeze(t.Context(), vol, 1))
	release := w.Hold(vol)
	if err := w.Merge(t.Context(), vol, 1); fault.KindOf(err) != fault.Later {
		t.Errorf("merge of a volume that is open elsewhere: %v", err)
	}
	release()
	must(t, w.Merge(t.Context(), vol, 1))
}
