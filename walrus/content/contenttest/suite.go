package contenttest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"karri/walrus/content"
)

// Suite runs what every engine must pass. Each part gets a fresh one.
func Suite(t *testing.T, fresh func(t *testing.T) content.Engine) {
	t.Run("comes back whole and in ranges", func(t *testing.T) { ranges(t, fresh(t)) })
	t.Run("exists from its commit to its removal", func(t *testing.T) { visible(t, fresh(t)) })
	t.Run("an open reader survives removal", func(t *testing.T) { removed(t, fresh(t)) })
}

// Put writes a piece and returns its id.
func Put(t testing.TB, e content.Engine, data []byte) string {
	t.Helper()
	w, err := e.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for len(data) > 0 {
		n := min(len(data), 1+rand.IntN(100_000))
		if _, err := w.Write(data[:n]); err != nil {
			t.Fatal(err)
		}
		data = data[n:]
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	return w.ID()
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
	const block = 64 << 10
	for _, size := range []int64{0, 1, block - 1, block, block + 1, 5*block + 77} {
		data := Random(int(size))
		id := Put(t, e, data)
		for range 40 {
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

func list(t *testing.T, e content.Engine) map[string]int64 {
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
	w, err := e.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	if _, err := Get(t, e, w.ID(), 0, 3); !errors.Is(err, content.Lost) && err == nil {
		t.Errorf("read before the commit: %v", err)
	}
	w.Abort()
	id := Put(t, e, Random(200_000))
	if all := list(t, e); len(all) != 1 || all[id] != 200_000 {
		t.Errorf("list: %v", all)
	}
	for range 2 {
		if err := e.Remove(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Get(t, e, id, 0, 1); err == nil {
		t.Error("read after the removal")
	}
	if all := list(t, e); len(all) != 0 {
		t.Errorf("left: %v", all)
	}
}

func removed(t *testing.T, e content.Engine) {
	data := Random(1 << 20)
	id := Put(t, e, data)
	r, err := e.Open(t.Context(), id, 0, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := e.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
