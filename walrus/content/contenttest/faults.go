package contenttest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"

	"karri/walrus/content"
)

// faults fails the n-th call below the engine, for each n, and looks for a
// piece that is there though it was refused, or not though acknowledged. The
// same engine must go on afterwards as if nothing had been.
func faults(t *testing.T, m Maker) {
	for _, size := range []int64{100_000, 1<<20 + 64<<10 + 1} {
		for _, broken := range []error{syscall.ENOSPC, syscall.EIO} {
			for n := int64(1); ; n++ {
				if !faultAt(t, m, size, n, broken) {
					if n < 6 {
						t.Errorf("only %d calls", n-1)
					}
					break
				}
			}
		}
	}
}

// faultAt reports whether there was an n-th call.
func faultAt(t *testing.T, m Maker, size, n int64, broken error) bool {
	var calls atomic.Int64
	var over atomic.Bool
	var where string
	e := m.Open(t, fmt.Sprintf("%s/%d-%d", t.Name(), size, broken), func(op, _ string) error {
		if !over.Load() && calls.Add(1) == n {
			where = op
			return broken
		}
		return nil
	})
	data := Random(int(size))
	id, err := try(t, e, data)
	over.Store(true)
	full := broken == syscall.ENOSPC && where != "read" && where != "open" && where != "punch" && where != "remove"
	if err != nil && (!errors.Is(err, broken) || errors.Is(err, content.NoSpace) != full) {
		t.Errorf("%v at call %d, %s: %v", broken, n, where, err)
	}
	if err != nil && id != "" { // it was to be removed
		err = e.Remove(t.Context(), id)
		if err != nil {
			t.Errorf("%v at call %d, %s: not again: %v", broken, n, where, err)
		}
	}
	for left := range List(t, e) {
		t.Errorf("%v at call %d, %s: %s is left", broken, n, where, left)
	}
	happened := calls.Load() >= n
	if id, err := try(t, e, data); err != nil {
		t.Errorf("%v at call %d, %s: %s afterwards: %v", broken, n, where, id, err)
	}
	return happened
}

// try puts a piece, reads it and removes it. With an error it returns the id of
// what was acknowledged and not removed.
func try(t *testing.T, e content.Engine, data []byte) (string, error) {
	w, err := e.Create(t.Context(), int64(len(data)))
	if err != nil {
		return "", err
	}
	defer w.Abort()
	if _, err := w.Write(data[:len(data)/2]); err != nil {
		return "", err
	}
	if _, err := w.Write(data[len(data)/2:]); err != nil {
		return "", err
	}
	if err := w.Commit(); err != nil {
		return "", err
	}
	got, err := Get(t, e, w.ID(), 0, int64(len(data)))
	if err != nil {
		if again, err := Get(t, e, w.ID(), 0, int64(len(data))); err != nil || !bytes.Equal(again, data) {
			t.Errorf("it does not come back: %d bytes, %v", len(again), err)
		}
		return w.ID(), err
	}
	if !bytes.Equal(got, data) {
		t.Error("other bytes came back")
	}
	if err := e.Remove(t.Context(), w.ID()); err != nil {
		return w.ID(), err
	}
	return "", nil
}

// flips changes a thousand bits of what is stored, one at a time.
func flips(t *testing.T, m Maker) {
	place := t.Name()
	e := m.Open(t, place, nil)
	data := Random(2 << 20)
	for _, size := range []int64{1, 150_000, 1 << 20, 2 << 20} {
		id := Put(t, e, data[:size])
		bits := m.Bits(t, place, id)
		if int64(bits) < 8*size {
			t.Fatalf("%d bits for %d bytes", bits, size)
		}
		for range 250 {
			bit := rand.IntN(bits)
			m.Flip(t, place, id, bit)
			got, err := Get(t, e, id, 0, size)
			if err == nil {
				t.Fatalf("size %d: bit %d flipped: not seen", size, bit)
			}
			if !bytes.HasPrefix(data, got) {
				t.Fatalf("size %d: bit %d flipped: wrong bytes given", size, bit)
			}
			m.Flip(t, place, id, bit)
		}
		if got, err := Get(t, e, id, 0, size); err != nil || !bytes.Equal(got, data[:size]) {
			t.Fatalf("size %d: %v", size, err)
		}
	}
}
