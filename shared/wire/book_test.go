package wire

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life/lifetest"
)

// list returns orders that differ for each n, with records that come, change and go.
func list(n int) NodeOrders {
	o := NodeOrders{Instances: map[id.Instance]Instance{}, Links: map[string]Link{"n": {Index: n}}}
	for i := n; i < n+3; i++ {
		o.Instances[id.Instance(fmt.Sprintf("i-%08x", i))] = Instance{Index: i * (n%2 + 1), Want: Running, UserData: []byte("<&>")}
	}
	return o
}

func open(t testing.TB, dir string, pass func()) *Book[NodeOrders] {
	t.Helper()
	if pass == nil {
		pass = func() {}
	}
	b, err := openBook[NodeOrders](dir, pass, 2000)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func same(t testing.TB, b *Book[NodeOrders], gen int) {
	t.Helper()
	o, g := b.Orders()
	if g != uint64(gen) {
		t.Fatalf("generation %d, want %d", g, gen)
	}
	if want := list(gen); gen > 0 && (!reflect.DeepEqual(o.Instances, want.Instances) || !reflect.DeepEqual(o.Links, want.Links)) {
		t.Fatalf("generation %d holds %v", g, o)
	}
}

func TestABookKeepsWhatItAcceptedThroughACrashAnywhere(t *testing.T) {
	const last = 8
	crashes := lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
		dir, acknowledged := t.TempDir(), uint64(0)
		run := func() error {
			b := open(t, dir, fuse.Pass)
			defer b.Close()
			if b.Accepted() < acknowledged {
				return fmt.Errorf("generation %d is lost: the book is at %d", acknowledged, b.Accepted())
			}
			same(t, b, int(b.Accepted()))
			for gen := b.Accepted() + 1; gen <= last; gen++ {
				if err := b.Tell(t.Context(), gen, list(int(gen))); err != nil {
					return err
				}
				acknowledged = gen
			}
			return nil
		}
		return run, func(t testing.TB) {
			b := open(t, dir, nil)
			defer b.Close()
			same(t, b, last)
		}
	})
	t.Logf("%d crashes", crashes)
	if crashes < 20 {
		t.Errorf("only %d points: the book does not compact here", crashes)
	}
}

// roomy opens a book that has no reason to compact.
func roomy(t *testing.T, dir string) *Book[NodeOrders] {
	t.Helper()
	b, err := OpenBook[NodeOrders](dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestATornLastLineIsCutOff(t *testing.T) {
	dir := t.TempDir()
	b := roomy(t, dir)
	var sizes []int64
	for gen := 1; gen <= 2; gen++ {
		if err := b.Tell(t.Context(), uint64(gen), list(gen)); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, b.size)
	}
	b.Close()
	journal := filepath.Join(dir, "orders.journal")
	whole, err := os.ReadFile(journal)
	if err != nil || int64(len(whole)) != sizes[1] {
		t.Fatal(len(whole), err)
	}
	for n := sizes[0]; n < sizes[1]; n += (sizes[1]-sizes[0])/16 - 1 {
		if err := os.WriteFile(journal, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		b := roomy(t, dir)
		same(t, b, 1)
		if err := b.Tell(t.Context(), 2, list(2)); err != nil {
			t.Fatal(err)
		}
		b.Close()
		b = roomy(t, dir)
		same(t, b, 2)
		b.Close()
	}
	// Damage before the end is no torn line: it is told, not skipped.
	bad := append([]byte{}, whole...)
	bad[sizes[0]/2] ^= 1
	if err := os.WriteFile(journal, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBook[NodeOrders](dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged journal: %v", err)
	}
}

func TestGenerationsOnlyGrow(t *testing.T) {
	b := open(t, t.TempDir(), nil)
	defer b.Close()
	tell := func(gen uint64, o NodeOrders) string {
		if err := b.Tell(t.Context(), gen, o); err != nil {
			return fault.CodeOf(err)
		}
		return ""
	}
	for _, c := range []struct {
		gen  uint64
		n    int
		want string
	}{{5, 5, ""}, {5, 5, ""}, {5, 6, "SameGeneration"}, {4, 4, "OldGeneration"}, {9, 9, ""}, {5, 5, "OldGeneration"}} {
		changed := b.Changed()
		if got := tell(c.gen, list(c.n)); got != c.want {
			t.Errorf("generation %d: %q, want %q", c.gen, got, c.want)
		}
		select {
		case <-changed:
		default:
			if c.want == "" && c.gen != 5 {
				t.Error("nobody was woken")
			}
		}
	}
	same(t, b, 9)
}

func TestAfterAFailedWriteTheNextIsWholeAgain(t *testing.T) {
	dir := t.TempDir()
	b := roomy(t, dir)
	if err := b.Tell(t.Context(), 1, list(1)); err != nil {
		t.Fatal(err)
	}
	good := b.journal
	ro, err := os.Open(good.Name())
	if err != nil {
		t.Fatal(err)
	}
	b.journal = ro // every write fails
	if err := b.Tell(t.Context(), 2, list(2)); fault.KindOf(err) != fault.Later {
		t.Errorf("a failed write: %v", err)
	}
	same(t, b, 1)
	b.journal = good
	if err := b.Tell(t.Context(), 3, list(3)); err != nil {
		t.Fatal(err)
	}
	b.Close()
	ro.Close()
	b = roomy(t, dir)
	defer b.Close()
	same(t, b, 3)
}

func FuzzChange(f *testing.F) {
	d, err := toDoc(list(1))
	if err != nil {
		f.Fatal(err)
	}
	to, _ := toDoc(list(2))
	base := d.sum()
	for _, c := range []Change{d.diff(base, to), d.diff("", to), d.diff(base, d), {}} {
		b, _ := json.Marshal(c)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var c Change
		if json.Unmarshal(b, &c) != nil {
			return
		}
		got, err := d.apply(c)
		if d.sum() != base {
			t.Fatal("apply changed what it started from")
		}
		if err != nil {
			return
		}
		again, err := d.apply(d.diff(base, got))
		if err != nil || again.sum() != got.sum() {
			t.Errorf("the difference to what was accepted does not lead there: %v", err)
		}
	})
}

func FuzzJournalLine(f *testing.F) {
	d, _ := toDoc(list(1))
	l, _ := formatLine(entry{Seq: 1, Gen: 2, Change: doc(nil).diff("", d)})
	f.Add(l)
	f.Add([]byte("00000000 {}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, ok := parseLine(b); ok {
			if _, err := formatLine(e); err != nil {
				t.Errorf("%+v: %v", e, err)
			}
		}
	})
}
