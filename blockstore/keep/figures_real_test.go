//go:build real

package keep_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/shared/wire"
)

// What a snapshot moves is what changed. The times are printed, not judged.
func TestFigures(t *testing.T) {
	w := newCloudWorld(t)
	for _, c := range story[:2] {
		w.tell(c.change)
		w.settle("")
	}
	const size = 128 // MiB
	pattern := filepath.Join(w.dir, "pattern")
	noise := make([]byte, size<<20)
	_, _ = rand.Read(noise)
	must(t, os.WriteFile(pattern, noise, 0o600))
	must(t, w.io(fmt.Sprintf("write -s %s 0 %dM", pattern, size)))
	timed := func(what string, do func()) {
		before, begin := w.pieces(), time.Now()
		do()
		t.Logf("%s: %s, %d pieces put", what, time.Since(begin).Round(time.Millisecond), w.pieces()-before)
	}
	before := w.pieces()
	timed(fmt.Sprintf("snapshot of %d MiB", size), func() { w.tell(snapshot(s1, v1, wire.Present)); w.settle("") })
	if got := w.pieces() - before; got != size {
		t.Errorf("%d pieces were put for %d MiB", got, size)
	}
	must(t, w.io("write -P 5 3M 64k", "write -P 6 7M 64k"))
	before = w.pieces()
	timed("snapshot after two writes of 64 KiB", func() { w.tell(snapshot(s2, v1, wire.Present)); w.settle("") })
	if got := w.pieces() - before; got != 2 {
		t.Errorf("%d pieces were put for 2 that changed", got)
	}
	timed(fmt.Sprintf("volume of %d MiB", size), func() {
		w.tell(func(o *wire.BlockOrders) { o.Volumes[v2] = wire.Volume{Want: wire.Present, SizeGiB: 1, From: s2} })
		w.settle("")
	})
	w.has(v2, nil)
	timed("kill -9 of the storage daemon, and a new one", func() { w.killDaemons(); w.settle("") })
	timed("move to another node", func() {
		w.tell(func(o *wire.BlockOrders) { o.Exports[v1] = wire.Export{Node: "b", Epoch: 2} })
		w.settle("")
	})
	must(t, w.io("read -P 5 3M 64k"))
}

// pieces counts those in walrus.
func (w *cloudWorld) pieces() int {
	n := 0
	files, _ := filepath.Glob(filepath.Join(w.dir, "walrus", "*", "*"))
	for _, path := range files {
		if strings.HasPrefix(filepath.Base(path), "chunk") {
			n++
		}
	}
	return n
}
