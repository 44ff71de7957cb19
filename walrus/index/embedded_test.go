package index_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"karri/walrus/index"
	"karri/walrus/index/indextest"
)

func open(t testing.TB, fs vfs.FS, dir string) *index.Store {
	t.Helper()
	x, err := index.Open(dir, index.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestEmbedded(t *testing.T) {
	indextest.Suite(t, func(t *testing.T) index.Index {
		x := open(t, vfs.NewMem(), "")
		t.Cleanup(func() { _ = x.Close() })
		return x
	})
}

// TestAcknowledgedSurvivesPowerLoss drops all that was not synced, many times
// while several hands write, and looks for what was acknowledged.
func TestAcknowledgedSurvivesPowerLoss(t *testing.T) {
	disk := vfs.NewCrashableMem()
	x := open(t, disk, "")
	if err := x.CreateBucket(t.Context(), &index.Bucket{Name: "b", Owner: "ann"}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	acked := map[string]int{}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 40 {
				o := indextest.Object("b", fmt.Sprintf("%d-%d", w, i%10), fmt.Sprint(i))
				if err := x.Put(t.Context(), o, index.Condition{}); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acked[o.Key] = i
				mu.Unlock()
				if i%8 == 7 {
					mu.Lock() // nobody acknowledges between the look and the crash
					survived(t, disk.CrashClone(vfs.CrashCloneCfg{}), acked)
					mu.Unlock()
				}
			}
		})
	}
	writers.Wait()
	_ = x.Close()
}

func survived(t *testing.T, disk vfs.FS, acked map[string]int) {
	y := open(t, disk, "")
	defer y.Close()
	sound(t, y)
	for key, put := range acked {
		o, err := y.Object(t.Context(), "b", key, "")
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		// A later put of the same hand may be on disk and not yet acknowledged.
		data, err := y.Inline(t.Context(), o.Pieces[0].ID)
		n, _ := strconv.Atoi(string(data))
		if err != nil || "e-"+string(data) != o.ETag || n < put {
			t.Errorf("%s: row %s has bytes %q, acknowledged was %d; %v", key, o.ETag, data, put, err)
		}
	}
}
