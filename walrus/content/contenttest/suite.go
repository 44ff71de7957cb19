package contenttest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"karri/walrus/content"
)

// A Maker opens the engines that the suite looks at.
type Maker struct {
	// Open opens the store that is at place, a name that the suite thought of; a
	// second time as another process does. Calls to what is underneath ask fail
	// first, when it is not nil.
	Open func(t *testing.T, place string, fail func(op, path string) error) content.Engine
	// Faults says that Open heeds fail.
	Faults bool
	// Bits returns how many bits are stored of a piece, and Flip changes one of
	// them, or changes it back; nil: they cannot be reached.
	Bits func(t *testing.T, place, id string) int
	Flip func(t *testing.T, place, id string, bit int)
}

// Sizes are of pieces that an engine may keep in different ways.
var sizes = []int64{0, 1, 4000, 4096, 64<<10 - 1, 64 << 10, 64<<10 + 1, 5*64<<10 + 77, 1 << 20, 1<<20 + 64<<10 + 1, 3<<20 + 5}

// Suite runs what every engine must pass.
func Suite(t *testing.T, m Maker) {
	fresh := func(t *testing.T) content.Engine { return m.Open(t, t.Name(), nil) }
	t.Run("comes back whole and in ranges", func(t *testing.T) { ranges(t, fresh(t)) })
	t.Run("exists from its commit to its removal", func(t *testing.T) { visible(t, fresh(t)) })
	t.Run("an open reader survives removal", func(t *testing.T) { removed(t, fresh(t)) })
	t.Run("is as long as was announced", func(t *testing.T) { announced(t, fresh(t)) })
	t.Run("many at once", func(t *testing.T) { crowd(t, fresh(t)) })
	t.Run("two processes", func(t *testing.T) { shared(t, fresh(t), fresh(t)) })
	t.Run("each call fails once", func(t *testing.T) {
		if !m.Faults {
			t.Skip("this engine has no calls that fail")
		}
		faults(t, m)
	})
	t.Run("every flipped bit is seen", func(t *testing.T) {
		if m.Flip == nil {
			t.Skip("the bits of this engine cannot be reached")
		}
		flips(t, m)
	})
}

// Put writes a piece and returns its id.
func Put(t testing.TB, e content.Engine, data []byte) string {
	t.Helper()
	return put(t, e, int64(len(data)), data)
}

func put(t testing.TB, e content.Engine, said int64, data []byte) string {
	t.Helper()
	w, err := e.Create(t.Context(), said)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, data)
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if len(w.ID()) != 32 {
		t.Errorf("id %q", w.ID())
	}
	return w.ID()
}

func write(t testing.TB, w io.Writer, data []byte) {
	t.Helper()
	for len(data) > 0 {
		n := min(len(data), 1+rand.IntN(100_000))
		if _, err := w.Write(data[:n]); err != nil {
			t.Fatal(err)
		}
		data = data[n:]
	}
}

// Get reads a range of a piece.
func Get(t testing.TB, e content.Engine, id string, off, n int64) ([]byte, error) {
	t.Helper()
	r, err := e.Open(t.Context(), id, off, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Random returns n bytes that do not repeat.
func Random(n int) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	return data
}

func ranges(t *testing.T, e content.Engine) {
	for _, size := range sizes {
		for _, said := range []int64{size, -1} {
			data := Random(int(size))
			id := put(t, e, said, data)
			for range 20 {
				off := rand.Int64N(size + 1)
				n := rand.Int64N(size - off + 1)
				got, err := Get(t, e, id, off, n)
				if err != nil || !bytes.Equal(got, data[off:off+n]) {
					t.Fatalf("size %d, range %d+%d: %d bytes, %v", size, off, n, len(got), err)
				}
			}
			if got, err := Get(t, e, id, 0, size); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("size %d: %v", size, err)
			}
			if _, err := Get(t, e, id, 0, size+1); err == nil {
				t.Errorf("size %d: more than there is was given", size)
			}
		}
	}
}

// List returns the sizes of all pieces.
func List(t testing.TB, e content.Engine) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	err := e.List(t.Context(), func(i content.Info) error {
		all[i.ID] = i.Size
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func visible(t *testing.T, e content.Engine) {
	for _, size := range []int64{3, 200_000, 2 << 20} {
		data := Random(int(size))
		w, err := e.Create(t.Context(), size)
		if err != nil {
			t.Fatal(err)
		}
		write(t, w, data)
		if _, err := Get(t, e, w.ID(), 0, 3); !errors.Is(err, content.Lost) {
			t.Errorf("read before the commit: %v", err)
		}
		if all := List(t, e); len(all) != 0 {
			t.Errorf("listed before the commit: %v", all)
		}
		w.Abort()
		id := Put(t, e, data)
		if all := List(t, e); len(all) != 1 || all[id] != size {
			t.Errorf("list: %v", all)
		}
		for range 2 {
			if err := e.Remove(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Get(t, e, id, 0, 1); !errors.Is(err, content.Lost) {
			t.Errorf("read after the removal: %v", err)
		}
		if all := List(t, e); len(all) != 0 {
			t.Errorf("left: %v", all)
		}
	}
}

func removed(t *testing.T, e content.Engine) {
	for _, size := range []int64{400_000, 2 << 20} {
		data := Random(int(size))
		id := Put(t, e, data)
		r, err := e.Open(t.Context(), id, 0, size)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for range 2 {
			if err := e.Remove(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, err := Get(t, e, id, 0, 1); !errors.Is(err, content.Lost) {
			t.Errorf("it is still there: %v", err)
		}
	}
	if all := List(t, e); len(all) != 0 {
		t.Errorf("left: %v", all)
	}
}

func announced(t *testing.T, e content.Engine) {
	for _, size := range []int64{100_000, 2 << 20} {
		for _, other := range []int64{size - 1, size + 1} {
			w, err := e.Create(t.Context(), size)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Write(Random(int(other)))
			if err == nil {
				err = w.Commit()
			}
			w.Abort()
			if !errors.Is(err, content.NotSize) {
				t.Errorf("%d instead of %d: %v", other, size, err)
			}
		}
	}
	if all := List(t, e); len(all) != 0 {
		t.Errorf("left: %v", all)
	}
}

// crowd lets many put, read and remove side by side.
func crowd(t *testing.T, e content.Engine) {
	var mu sync.Mutex
	kept := map[string]int64{}
	data := Random(3 << 20)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for n := range 20 {
				size := sizes[r.IntN(len(sizes)-1)]
				w, err := e.Create(t.Context(), size)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = w.Write(data[:size])
				if n%5 == 0 {
					w.Abort()
					continue
				}
				if err = errors.Join(err, w.Commit()); err != nil {
					t.Error(err)
					return
				}
				if got, err := Get(t, e, w.ID(), 0, size); err != nil || !bytes.Equal(got, data[:size]) {
					t.Errorf("size %d: %d bytes, %v", size, len(got), err)
				}
				if n%3 == 0 {
					if err := e.Remove(t.Context(), w.ID()); err != nil {
						t.Error(err)
					}
					continue
				}
				mu.Lock()
				kept[w.ID()] = size
				mu.Unlock()
			}
		})
	}
	all.Wait()
	MustHold(t, e, kept)
}

// MustHold compares what an engine lists with what there should be.
func MustHold(t testing.TB, e content.Engine, want map[string]int64) {
	t.Helper()
	got := List(t, e)
	for id, size := range want {
		if got[id] != size {
			t.Errorf("%s: listed with %d bytes, has %d", id, got[id], size)
		}
	}
	for id, size := range got {
		if _, ok := want[id]; !ok {
			t.Errorf("%s of %d bytes is too much", id, size)
		}
	}
}

// shared looks at two processes that use one store.
func shared(t *testing.T, a, b content.Engine) {
	for _, size := range []int64{100_000, 2 << 20} {
		data := Random(int(size))
		begun, err := a.Create(t.Context(), size)
		if err != nil {
			t.Fatal(err)
		}
		write(t, begun, data[:size/2])
		one, two := Put(t, a, data), Put(t, b, data)
		if n, err := b.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("swept %d of what the other is writing, %v", n, err)
		}
		write(t, begun, data[size/2:])
		if err := begun.Commit(); err != nil {
			t.Fatal(err)
		}
		for _, e := range []content.Engine{a, b} {
			for _, id := range []string{one, two, begun.ID()} {
				if got, err := Get(t, e, id, 0, size); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			}
			MustHold(t, e, map[string]int64{one: size, two: size, begun.ID(): size})
		}
		for id, e := range map[string]content.Engine{one: b, two: a, begun.ID(): b} {
			if err := e.Remove(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
		MustHold(t, a, nil)
		MustHold(t, b, nil)
		if _, err := Get(t, a, one, 0, 1); !errors.Is(err, content.Lost) {
			t.Errorf("the other removed it: %v", err)
		}
	}
}
