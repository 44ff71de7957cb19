package index

import (
	"fmt"
	"testing"
)

// TestAListingThatIsReadBesideAChangeIsNotRemembered drives what a race would
// have to hit: a change is noted, and cannot be seen, while a listing is read.
func TestAListingThatIsReadBesideAChangeIsNotRemembered(t *testing.T) {
	found := func() *rollup {
		return &rollup{rollupName{"", "/"}, []string{"a/", "c/"}, []string{"a/1", "c/1"}}
	}
	for _, c := range []struct {
		change showing
		kept   bool
	}{
		{showing{"b/1", true}, false},  // a new folder
		{showing{"b", true}, false},    // an object beside the folders
		{showing{"a/1", false}, false}, // what a folder is known by
		{showing{"a/0", true}, true},
		{showing{"a/2", false}, true}, // another object is there as long as the first
	} {
		for when, run := range map[string]func(r *rollups){
			"before": func(r *rollups) {
				end := r.begin("bucket", &c.change)
				done := r.read("bucket")
				done(found())
				end()
			},
			"all the time": func(r *rollups) {
				end := r.begin("bucket", &c.change)
				done := r.read("bucket")
				end()
				done(found())
			},
			"meanwhile": func(r *rollups) {
				done := r.read("bucket")
				r.begin("bucket", &c.change)()
				done(found())
			},
			"afterwards": func(r *rollups) {
				r.read("bucket")(found())
				r.begin("bucket", &c.change)()
			},
		} {
			r := &rollups{}
			run(r)
			if kept := r.find("bucket", Query{Delimiter: "/", Max: 2}) != nil; kept != c.kept {
				t.Errorf("%v, under way %s: remembered: %v", c.change, when, kept)
			}
			if r.find("bucket", Query{Delimiter: "/", Max: 1}) != nil || r.find("other", Query{Delimiter: "/", Max: 2}) != nil {
				t.Error("a page is found that was not asked for")
			}
		}
	}
}

// TestWhatIsRememberedOfListingsIsBounded fills the memory with many buckets'.
func TestWhatIsRememberedOfListingsIsBounded(t *testing.T) {
	r := &rollups{}
	for n := range 40_000 {
		key := fmt.Sprintf("a folder of some length %05d/", n)
		r.read(fmt.Sprint(n / 40))(&rollup{rollupName{fmt.Sprint(n), "/"}, []string{key}, []string{key + "x"}})
		if r.held > maxRolled {
			t.Fatalf("%d bytes after %d listings", r.held, n)
		}
	}
	held := 0
	for _, b := range r.buckets {
		if len(b.lists) > maxRollups || len(b.lists) == 0 {
			t.Errorf("a bucket has %d listings", len(b.lists))
		}
		for _, l := range b.lists {
			held += l.size()
		}
	}
	if held != r.held || held < maxRolled/2 {
		t.Errorf("%d bytes are held, %d are noted", held, r.held)
	}
	r.read("big")(&rollup{rollupName{"", "/"}, make([]string, maxRolled/32), make([]string, maxRolled/32)})
	if r.held > maxRolled {
		t.Errorf("%d bytes after a large one", r.held)
	}
	done := r.read("b")
	for n := range maxBeside + 1 {
		r.begin("b", &showing{fmt.Sprint("x/", n), true})()
	}
	done(&rollup{rollupName{"", "/"}, []string{"x/"}, []string{"x/0"}})
	if r.find("b", Query{Delimiter: "/", Max: 9}) != nil || r.buckets["b"] != nil {
		t.Error("more is kept of a reading than there was room for")
	}
}
