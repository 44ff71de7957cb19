package history

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Each seed is a history of its own: a few in the inner loop, more by tools/test,
// a hundred times as many by tools/test long.
func TestHistories(t *testing.T) {
	seeds := map[string]uint64{"": 4, "short": 20, "long": 2000}[os.Getenv("KARRI_TEST")]
	crashes, failed := 0, 0
	for seed := range seeds {
		r, err := Run(t.Context(), seed)
		if err != nil {
			t.Fatal(err)
		}
		crashes += r.Crashes
		if len(r.Wrong) > 0 {
			t.Errorf("seed %d (go run ./tools/devcloud --replay %d):\n%s", seed, seed, strings.Join(r.Wrong, "\n"))
			if failed++; failed == 10 {
				t.Fatal("and so on")
			}
		}
	}
	if crashes < int(seeds) {
		t.Errorf("only %d crashes in %d histories", crashes, seeds)
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
