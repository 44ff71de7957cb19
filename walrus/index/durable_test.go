package index_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"karri/walrus/index"
	"karri/walrus/index/indextest"
)

// A gated disk syncs its logs only while the gate can be shared.
type gated struct {
	vfs.FS
	gate *sync.RWMutex
}

type gatedFile struct {
	vfs.File
	gate *sync.RWMutex
}

func (g gated) wrap(name string, f vfs.File, err error) (vfs.File, error) {
	if err == nil && strings.HasSuffix(name, ".log") {
		f = gatedFile{f, g.gate}
	}
	return f, err
}

func (g gated) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := g.FS.Create(name, c)
	return g.wrap(name, f, err)
}

func (g gated) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := g.FS.ReuseForWrite(old, name, c)
	return g.wrap(name, f, err)
}

func (f gatedFile) Sync() error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	return f.File.Sync()
}

func (f gatedFile) SyncData() error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	return f.File.SyncData()
}

func (f gatedFile) SyncTo(n int64) (bool, error) {
	f.gate.RLock()
	defer f.gate.RUnlock()
	return f.File.SyncTo(n)
}

// TestNothingIsBelievedBeforeItIsOnDisk stops the disk in the middle of a put
// that replaces an object. The line that frees the old bytes can be read, but
// neither Durable nor a reader of the object may return before the disk goes on.
func TestNothingIsBelievedBeforeItIsOnDisk(t *testing.T) {
	gate := &sync.RWMutex{}
	disk := vfs.NewCrashableMem()
	x := open(t, gated{disk, gate}, "")
	defer x.Close()
	if err := x.CreateBucket(t.Context(), &index.Bucket{Name: "b", Owner: "ann"}); err != nil {
		t.Fatal(err)
	}
	put := func(data string) {
		if err := x.Put(t.Context(), indextest.Object("b", "k", data), index.Condition{}); err != nil {
			t.Error(err)
		}
	}
	put("old")
	gate.Lock()
	var hands sync.WaitGroup
	hands.Go(func() { put("new") })
	for began := time.Now(); ; {
		lines, err := x.Lines(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 1 {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("the change cannot be read before it is durable: then this test tests nothing")
		}
	}
	returned := make(chan string, 3)
	hands.Go(func() {
		if err := x.Durable(t.Context()); err != nil {
			t.Error(err)
		}
		returned <- "Durable"
	})
	hands.Go(func() {
		if o, err := x.Object(t.Context(), "b", "k", ""); err != nil || o.ETag != "e-new" {
			t.Errorf("%+v %v", o, err)
		}
		returned <- "Object"
	})
	hands.Go(func() {
		if page, err := x.List(t.Context(), "b", index.Query{Max: 1}); err != nil || page.Items[0].ETag != "e-new" {
			t.Errorf("%+v %v", page, err)
		}
		returned <- "List"
	})
	select {
	case who := <-returned:
		t.Errorf("%s did not wait for the disk", who)
	case <-time.After(100 * time.Millisecond):
	}
	before := open(t, disk.CrashClone(vfs.CrashCloneCfg{}), "")
	if o, err := before.Object(t.Context(), "b", "k", ""); err != nil || o.ETag != "e-old" {
		t.Errorf("after a crash: %+v %v", o, err)
	}
	_ = before.Close()
	gate.Unlock()
	hands.Wait()
}
