package s3_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"

	"karri/walrus/index"
)

// hasty lets something happen right after an object was looked up.
type hasty struct {
	index.Objects
	then func()
}

func (h *hasty) Object(ctx context.Context, bucket, key, version string) (*index.Object, error) {
	o, err := h.Objects.Object(ctx, bucket, key, version)
	if then := h.then; then != nil && err == nil {
		h.then = nil
		then()
	}
	return o, err
}

// TestObjectReplacedWhileItIsOpened: the object's bytes are swept between the
// look at its row and the opening, and the answer is the object that is there then.
func TestObjectReplacedWhileItIsOpened(t *testing.T) {
	for _, size := range []int{10, 1000} { // in the index, and as a piece
		w := newWorld(t)
		h := &hasty{Objects: w.index}
		w.api.Objects = h
		w.do(http.MethodPut, "/bucket", nil)
		old, now := bytes.Repeat([]byte("o"), size), bytes.Repeat([]byte("n"), size)
		w.do(http.MethodPut, "/bucket/key", old, "X-Amz-Meta-Which: old")
		sweep := func() {
			if err := w.mill.Lines().SettleAll(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		h.then = func() {
			w.do(http.MethodPut, "/bucket/key", now)
			sweep()
		}
		res := w.do(http.MethodGet, "/bucket/key", nil)
		if res.Code != http.StatusOK || !bytes.Equal(res.Body.Bytes(), now) || res.Header().Get("X-Amz-Meta-Which") != "" {
			t.Errorf("%d bytes: %d %.40q, headers %v", size, res.Code, res.Body.String(), res.Header())
		}
		h.then = func() {
			w.do(http.MethodDelete, "/bucket/key", nil)
			sweep()
		}
		if res := w.do(http.MethodGet, "/bucket/key", nil); res.Code != http.StatusNotFound {
			t.Errorf("%d bytes: of an object that went: %d %.200q", size, res.Code, res.Body.String())
		}
	}
}
