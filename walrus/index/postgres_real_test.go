//go:build real

package index_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"karri/walrus/index"
	"karri/walrus/index/indextest"
	"karri/walrus/index/pgtest"
)

func openPostgres(t testing.TB, address string) *index.Store {
	t.Helper()
	x, err := index.OpenPostgres(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

func TestPostgres(t *testing.T) {
	server := pgtest.Start(t)
	indextest.Suite(t, func(t *testing.T) index.Index { return openPostgres(t, server.Address(t)) })
}

// TestTwoOverOneDatabase gives each other's changes at once, and races.
func TestTwoOverOneDatabase(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Address(t)
	var two [2]*index.Store
	var starts sync.WaitGroup
	for i := range two {
		starts.Go(func() { two[i] = openPostgres(t, address) })
	}
	starts.Wait()
	a, b := two[0], two[1]
	if err := a.CreateBucket(t.Context(), &index.Bucket{Name: "b", Owner: "ann"}); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		o := indextest.Object("b", fmt.Sprintf("k%02d", i), "x")
		if err := a.Put(t.Context(), o, index.Condition{}); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Object(t.Context(), "b", o.Key, ""); err != nil || got.ID != o.ID {
			t.Fatalf("%+v %v", got, err)
		}
		if page, err := b.List(t.Context(), "b", index.Query{Max: 100}); err != nil || len(page.Items) != i+1 {
			t.Fatalf("%d listed, %v", len(page.Items), err)
		}
		a, b = b, a
	}
	if _, err := a.UpdateBucket(t.Context(), "b", func(b *index.Bucket) error { b.Versioning = index.Enabled; return nil }); err != nil {
		t.Fatal(err)
	}
	o := indextest.Object("b", "k00", "y")
	if err := b.Put(t.Context(), o, index.Condition{}); err != nil || o.Version == index.Null {
		t.Errorf("%+v %v", o, err)
	}
	var wins atomic.Int32
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			o := indextest.Object("b", fmt.Sprint("race", i/8), "x")
			if two[i%2].Put(t.Context(), o, index.Condition{IfNoneMatch: true}) == nil {
				wins.Add(1)
			}
		})
	}
	all.Wait()
	if wins.Load() != 5 {
		t.Errorf("%d won, want 5", wins.Load())
	}
}
