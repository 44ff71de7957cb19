package index_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"karri/shared/fault"
	"karri/walrus/index"
	"karri/walrus/index/indextest"
)

// What the damaged store held, and how a reading of it is told from a wrong one.
type held struct {
	objects map[string]*index.Object
	bytes   map[string]string
	torn    bool // what stands at the end of a log may be missing
}

func plenty(t *testing.T, x *index.Store, round int, h held) {
	t.Helper()
	for i := range 300 {
		key := fmt.Sprintf("dir%d/key-%d-%d", i%7, round, i)
		data := strings.Repeat(key, 1+i%40)
		o := indextest.Object("b", key, data)
		if err := x.Put(t.Context(), o, index.Condition{}); err != nil {
			t.Fatal(err)
		}
		h.objects[key], h.bytes[key] = o, data
	}
}

// stored makes a store whose rows are in tables, or as a crash leaves it, also
// in its log.
func stored(t *testing.T, crashed bool) (*vfs.MemFS, held) {
	t.Helper()
	disk, h := vfs.NewCrashableMem(), held{map[string]*index.Object{}, map[string]string{}, false}
	for round := range 3 {
		x := open(t, disk, "")
		if round == 0 {
			if err := x.CreateBucket(t.Context(), &index.Bucket{Name: "b", Owner: "ann"}); err != nil {
				t.Fatal(err)
			}
		}
		plenty(t, x, round, h)
		if crashed && round == 2 {
			left := disk.CrashClone(vfs.CrashCloneCfg{})
			_ = x.Close()
			return left, h
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return disk, h
}

// flipBit changes one bit of one file, larger ones more often.
func flipBit(t *testing.T, disk *vfs.MemFS) (name string, bit int64, size int) {
	t.Helper()
	names, err := disk.List("")
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	sizes := make([]int64, len(names))
	for i, n := range names {
		st, err := disk.Stat(n)
		if err != nil {
			t.Fatal(err)
		}
		if !st.IsDir() {
			sizes[i] = st.Size()
			total += st.Size()
		}
	}
	at := rand.Int64N(8 * total)
	for i, n := range names {
		if at >= 8*sizes[i] {
			at -= 8 * sizes[i]
			continue
		}
		b := contents(t, disk, n)
		b[at/8] ^= 1 << (at % 8)
		replace(t, disk, n, b)
		return n, at, len(b)
	}
	return "", 0, 0
}

func contents(t *testing.T, disk *vfs.MemFS, name string) []byte {
	t.Helper()
	f, err := disk.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

func replace(t *testing.T, disk *vfs.MemFS, name string, b []byte) {
	t.Helper()
	f, err := disk.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestAFlippedLogNumberIsNotTheEnd flips, in each chunk of the log of a walrus
// that crashed, the one bit that makes the engine believe that the log ends
// there, and would silently lose all that was acknowledged after it.
func TestAFlippedLogNumberIsNotTheEnd(t *testing.T) {
	disk, _ := stored(t, true)
	names, err := disk.List("")
	if err != nil {
		t.Fatal(err)
	}
	chunks := 0
	for _, name := range names {
		number, err := strconv.ParseUint(strings.TrimSuffix(name, ".log"), 10, 32)
		if err != nil {
			continue
		}
		whole := contents(t, disk, name)
		for at := 7; at+4 <= len(whole); at++ {
			if kind := whole[at-1]; kind < 9 || kind > 12 || binary.LittleEndian.Uint32(whole[at:]) != uint32(number) {
				continue
			}
			if chunks++; chunks%20 != 1 {
				continue
			}
			changed := bytes.Clone(whole)
			binary.LittleEndian.PutUint32(changed[at:], uint32(number)+1)
			copied := vfs.NewMem()
			if _, err := vfs.Clone(disk, copied, "", ""); err != nil {
				t.Fatal(err)
			}
			replace(t, copied, name, changed)
			x, err := index.Open("", index.Options{FS: copied, Log: slog.New(slog.DiscardHandler)})
			if err == nil {
				t.Errorf("byte %d of %s of %d bytes: the index opened", at, name, len(whole))
				_ = x.Close()
			}
		}
	}
	if chunks < 300 {
		t.Errorf("the log has %d chunks: the test's idea of a log is wrong", chunks)
	}
}

// TestFlippedBitsOfTheIndex flips a bit of what is stored, a thousand times. The
// index then does not open, or it answers what was put, or a clean error. Only
// the last blocks of the log of a walrus that crashed, the one of 32 KiB at its
// end and the one that a record runs into it from, are not told from a write that
// the crash has torn.
func TestFlippedBitsOfTheIndex(t *testing.T) {
	for _, crashed := range []bool{false, true} {
		disk, h := stored(t, crashed)
		rounds := 100
		if os.Getenv("KARRI_TEST") != "" {
			rounds = 1000
		}
		closed, damaged := 0, 0
		for range rounds {
			copied := vfs.NewMem()
			if _, err := vfs.Clone(disk, copied, "", ""); err != nil {
				t.Fatal(err)
			}
			name, at, size := flipBit(t, copied)
			what := fmt.Sprintf("bit %d of %s of %d bytes", at, name, size)
			h.torn = crashed && strings.HasSuffix(name, ".log") && at/8 >= int64(size)>>15<<15-32<<10
			x, err := index.Open("", index.Options{FS: copied, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				closed++
				continue
			}
			damaged += h.read(t, x, what)
			_ = x.Close()
			if t.Failed() {
				return
			}
		}
		t.Logf("after a crash %v: %d of %d did not open, %d readings failed", crashed, closed, rounds, damaged)
	}
}

// read reads everything and returns how often it was told of damage.
func (h held) read(t *testing.T, x *index.Store, what string) (damaged int) {
	t.Helper()
	told := func(err error) bool {
		if err != nil && (fault.KindOf(err) != fault.Broken || fault.CodeOf(err) != "InternalError") {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil {
			damaged++
		}
		return err != nil
	}
	for key, want := range h.objects {
		o, err := x.Object(t.Context(), "b", key, "")
		if h.torn && errors.Is(err, index.NoSuchKey) {
			continue
		}
		if told(err) {
			continue
		}
		if o.ID != want.ID || o.Size != want.Size || o.ETag != want.ETag || o.Pieces[0].ID != want.Pieces[0].ID {
			t.Errorf("%s: %s is %+v", what, key, o)
		}
		b, err := x.Inline(t.Context(), o.Pieces[0].ID)
		if !told(err) && string(b) != h.bytes[key] {
			t.Errorf("%s: %s has other bytes", what, key)
		}
	}
	seen := 0
	for q := (index.Query{Max: 500}); ; {
		page, err := x.List(t.Context(), "b", q)
		if told(err) {
			return damaged
		}
		for _, e := range page.Items {
			if want := h.objects[e.Key]; want == nil || want.Size != e.Size || want.ETag != e.ETag {
				t.Errorf("%s: listed %+v", what, e)
			}
			seen++
		}
		if q.After = page.Last; !page.More {
			break
		}
	}
	if seen != len(h.objects) && !h.torn {
		t.Errorf("%s: %d of %d objects are listed", what, seen, len(h.objects))
	}
	return damaged
}
