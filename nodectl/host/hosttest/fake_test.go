package hosttest

import (
	"testing"

	"karri/shared/id"
	"karri/shared/wire"
)

func TestFake(t *testing.T) {
	Suite(t, func(t *testing.T) Bench {
		f := NewFake()
		t.Cleanup(func() {
			if w := f.Wrong(); len(w) > 0 {
				t.Error(w)
			}
		})
		return Bench{Host: f, ID: id.New[id.Instance](nil), Order: wire.Instance{Image: wire.Image{Format: "raw"}}}
	})
}
