package index_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"karri/walrus/index"
	"karri/walrus/index/indextest"
)

// A keeper changes the versions of one key, one change after the other. After
// a crash the key must have them as they were acknowledged, or as the change
// that is under way makes them.
type keeper struct {
	x           *index.Store
	key         string
	random      *rand.Rand
	mu          sync.Mutex
	acked, next []index.Entry
	count       int
}

// work makes one change. Versions are known by their ETags, and markers by none.
func (k *keeper) work(t *testing.T) {
	old := k.acked
	var next []index.Entry
	var do func() error
	named := func() string { return "" }
	switch n := k.random.IntN(6); {
	case n < 3 || len(old) == 0:
		k.count++
		o := indextest.Object("b", k.key, fmt.Sprint(k.count))
		if n == 0 { // nothing inline
			o.Pieces[0].Inline = false
		}
		do = func() error { return k.x.Put(t.Context(), o, index.Condition{}) }
		next = append([]index.Entry{o.Entry}, old...)
		named = func() string { return o.Version }
	case n == 3:
		var d index.Deleted
		do = func() (err error) {
			d, err = k.x.Delete(t.Context(), "b", k.key, "", index.Condition{})
			return err
		}
		next = append([]index.Entry{{}}, old...)
		named = func() string { return d.Version }
	case n == 4:
		i := k.random.IntN(len(old))
		do = func() error {
			_, err := k.x.Delete(t.Context(), "b", k.key, old[i].Version, index.Condition{})
			return err
		}
		next = slices.Delete(slices.Clone(old), i, i+1)
	default:
		do = func() error {
			_, err := k.x.Update(t.Context(), "b", k.key, old[0].Version, func(o *index.Object) error {
				o.Hold = false
				o.Tags = append(o.Tags, index.Tag{Key: "n"})
				return nil
			}, index.Condition{})
			return err
		}
		next = old
	}
	k.mu.Lock()
	k.next = next
	k.mu.Unlock()
	if err := do(); err != nil {
		t.Error(err)
	}
	k.mu.Lock()
	k.acked = slices.Clone(next)
	if v := named(); v != "" {
		k.acked[0].Version = v
	}
	k.next = k.acked
	k.mu.Unlock()
}

func etags(list []index.Entry) (tags []string) {
	for _, e := range list {
		tags = append(tags, e.ETag)
	}
	return tags
}

// TestVersionsSurvivePowerLoss drops all that was not synced, many times while
// several keepers work, and holds what is left against what was acknowledged
// and against itself.
func TestVersionsSurvivePowerLoss(t *testing.T) {
	disk := vfs.NewCrashableMem()
	x := open(t, disk, "")
	defer x.Close()
	if err := x.CreateBucket(t.Context(), &index.Bucket{Name: "b", Owner: "ann", Versioning: index.Enabled}); err != nil {
		t.Fatal(err)
	}
	var keepers []*keeper
	for i := range 6 {
		keepers = append(keepers, &keeper{x: x, key: fmt.Sprint("k", i), random: rand.New(rand.NewPCG(1, uint64(i)))})
	}
	var all sync.WaitGroup
	for i, k := range keepers {
		all.Go(func() {
			for n := range 60 {
				k.work(t)
				if i == 0 && n%5 == 4 {
					crashed(t, disk, keepers)
				}
			}
		})
	}
	all.Wait()
}

// crashed looks at what would be there after a loss of power now. Nobody
// acknowledges while the disk is copied; what one finishes meanwhile may be there.
func crashed(t *testing.T, disk *vfs.MemFS, keepers []*keeper) {
	type state struct{ acked, next []string }
	states := make([]state, len(keepers))
	for _, k := range keepers {
		k.mu.Lock()
	}
	after := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0})
	for i, k := range keepers {
		states[i] = state{etags(k.acked), etags(k.next)}
		k.mu.Unlock()
	}
	y := open(t, after, "")
	defer y.Close()
	for i, k := range keepers {
		page, err := y.Versions(t.Context(), "b", index.Query{Prefix: k.key, Max: 1000})
		if got := etags(page.Items); err != nil || !slices.Equal(got, states[i].acked) && !slices.Equal(got, states[i].next) {
			t.Errorf("%s: %q, acknowledged were %q, under way %q; %v", k.key, got, states[i].acked, states[i].next, err)
		}
	}
	sound(t, y)
}

// sound fails the test when the index does not agree with itself.
func sound(t *testing.T, x *index.Store) {
	t.Helper()
	_, err := x.Verify(t.Context(), func(problem string) { t.Error(problem) })
	if err != nil {
		t.Error(err)
	}
}

// TestVerifyFinds breaks an index in every way that Verify is to find.
func TestVerifyFinds(t *testing.T) {
	for _, c := range []struct{ name, row, value string }{
		{"a claim without a holder", "rPIECE0000", ""},
		{"a row of no bucket", "ozoo\x00k\x00\x01", "x"},
		{"an object that cannot be read", "ob\x00k2\x00\x01", "x"},
		{"a count that is wrong", "cb\x00more", "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"},
		{"bytes of nobody", "dPIECE", "xxxx"},
		{"a null version that is not there", "nb\x00k\x00\x01", "12345678"},
		{"a part of no upload", "pUP\x00\x00\x01", `{"number":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := vfs.NewMem()
			x := open(t, disk, "")
			if err := x.CreateBucket(t.Context(), &index.Bucket{Name: "b", Owner: "ann"}); err != nil {
				t.Fatal(err)
			}
			if err := x.Put(t.Context(), indextest.Object("b", "k", "one"), index.Condition{}); err != nil {
				t.Fatal(err)
			}
			sound(t, x)
			_ = x.Close()
			set(t, disk, c.row, c.value)
			x = open(t, disk, "")
			defer x.Close()
			found := 0
			if _, err := x.Verify(t.Context(), func(string) { found++ }); err != nil || found == 0 {
				t.Errorf("found %d, %v", found, err)
			}
		})
	}
}

// TestMend breaks claims and counts, and mends them.
func TestMend(t *testing.T) {
	disk := vfs.NewMem()
	x := open(t, disk, "")
	if err := x.CreateBucket(t.Context(), &index.Bucket{Name: "b", Owner: "ann"}); err != nil {
		t.Fatal(err)
	}
	o := indextest.Object("b", "k", "one")
	if err := x.Put(t.Context(), o, index.Condition{}); err != nil {
		t.Fatal(err)
	}
	u := &index.Upload{Bucket: "b", Key: "u", ID: "upload"}
	if err := x.CreateUpload(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	part := index.Part{Number: 1, Size: 4, Piece: index.Piece{ID: strings.Repeat("a", 32), Size: 4, Inline: true, Data: []byte("part")}}
	if err := x.PutPart(t.Context(), u, part); err != nil {
		t.Fatal(err)
	}
	_ = x.Close()
	stale := strings.Repeat("f", 32)
	unset(t, disk, "r"+o.Pieces[0].ID+o.ID)
	unset(t, disk, "r"+part.Piece.ID+"upload/1")
	set(t, disk, "r"+stale+"nobody", "")
	set(t, disk, "cb\x00", strings.Repeat("\x00", 15)+"\x09")
	x = open(t, disk, "")
	defer x.Close()
	var done []string
	if err := x.Mend(t.Context(), func(d string) { done = append(done, d) }); err != nil || len(done) != 4 {
		t.Errorf("%q, %v", done, err)
	}
	sound(t, x)
	if u, err := x.Usage(t.Context(), "b"); err != nil || u != (index.Usage{Objects: 1, Bytes: 3 + 4}) {
		t.Errorf("%+v, %v", u, err)
	}
	lines, err := x.Lines(t.Context(), 10)
	if err != nil || len(lines) != 1 || lines[0].Free[0].ID != stale {
		t.Errorf("%+v, %v", lines, err)
	}
	done = nil
	if err := x.Mend(t.Context(), func(d string) { done = append(done, d) }); err != nil || len(done) > 0 {
		t.Errorf("again: %q, %v", done, err)
	}
}

func unset(t *testing.T, disk vfs.FS, key string) {
	t.Helper()
	db, err := pebble.Open("", &pebble.Options{FS: disk, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Delete([]byte(key), nil), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestBucketsAreNotRememberedAsTheyWere copies from a bucket whose settings
// change all the time, and asks what they are after each change.
func TestBucketsAreNotRememberedAsTheyWere(t *testing.T) {
	x := open(t, vfs.NewMem(), "")
	defer x.Close()
	for _, name := range []string{"from", "to"} {
		if err := x.CreateBucket(t.Context(), &index.Bucket{Name: name, Owner: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	o := indextest.Object("from", "k", "x")
	if err := x.Put(t.Context(), o, index.Condition{}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	over := make(chan struct{})
	for i := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				c := indextest.Object("to", fmt.Sprint(i), "")
				c.Pieces = o.Pieces
				pin := &index.Pin{Bucket: "from", Key: "k", Version: o.Version, ID: o.ID}
				if err := x.Put(t.Context(), c, index.Condition{Pin: pin}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 2000 {
		made, err := x.UpdateBucket(t.Context(), "from", func(b *index.Bucket) error { b.Quota.Objects++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if b, err := x.Bucket(t.Context(), "from"); err != nil || b.Revision != made.Revision {
			t.Fatalf("revision %d, want %d; %v", b.Revision, made.Revision, err)
		}
	}
	close(over)
	all.Wait()
}
