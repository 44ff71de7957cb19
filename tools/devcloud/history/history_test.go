package history

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Each seed is a history of its own: a few in the inner loop, more by tools/test,
// hundreds by tools/test long.
func TestHistories(t *testing.T) {
	seeds := map[string]uint64{"": 4, "short": 20, "long": 500}[os.Getenv("KARRI_TEST")]
	var next, crashes, failed atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := uint64(next.Add(1) - 1); seed < seeds && failed.Load() < 10; seed = uint64(next.Add(1) - 1) {
				r, err := Run(t.Context(), seed)
				if err != nil {
					t.Error(err)
				}
				crashes.Add(int64(r.Crashes))
				if len(r.Wrong) > 0 {
					failed.Add(1)
					fmt.Printf("seed %d is wrong\n", seed)
					t.Errorf("seed %d (go run ./tools/devcloud --replay %d):\n%s", seed, seed, strings.Join(r.Wrong, "\n"))
				}
			}
		})
	}
	wg.Wait()
	if crashes.Load() < int64(seeds) {
		t.Errorf("only %d crashes in %d histories", crashes.Load(), seeds)
	}
}

func TestASeedReplaysItsHistory(t *testing.T) {
	first, err := Run(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Run(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range first.Lines {
		if i >= len(second.Lines) || l != second.Lines[i] {
			t.Fatalf("line %d:\n%s\n%s", i, l, slices.Concat(second.Lines, make([]string, i+1))[i])
		}
	}
}
