//go:build real

package index_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"karri/shared/fault"
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

// TestChanceIsTriedAgain has the database give up changes of rows,
// as it does when transactions get in each other's way.
func TestChanceIsTriedAgain(t *testing.T) {
	server := pgtest.Start(t)
	x := openPostgres(t, server.Address(t))
	server.SQL(t, `set search_path = fresh1;
		create function chance() returns trigger language plpgsql as $$ begin
			if random() < 0.15 then
				raise exception 'by chance' using errcode = case when random() < 0.5 then '40001' else '40P01' end;
			end if;
			return null;
		end $$;
		create trigger chance before insert or update or delete on walrus_index for each statement execute function chance();`)
	if err := x.CreateBucket(t.Context(), &index.Bucket{Name: "b", Owner: "ann", Versioning: index.Enabled}); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		o := indextest.Object("b", fmt.Sprint("k", i%7), fmt.Sprint(i))
		if err := x.Put(t.Context(), o, index.Condition{}); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Delete(t.Context(), "b", fmt.Sprint("k", i%5), "", index.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	if u, err := x.Usage(t.Context(), "b"); err != nil || u.Objects != 50 {
		t.Errorf("%+v %v", u, err)
	}
	sound(t, x)
}

// TestAcknowledgedSurvivesKilledDatabase kills the server with -9 while several
// keepers work, twice. The index works again without hands.
func TestAcknowledgedSurvivesKilledDatabase(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Address(t)
	x := openPostgres(t, address)
	if err := x.CreateBucket(t.Context(), &index.Bucket{Name: "b", Owner: "ann", Versioning: index.Enabled}); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		var all sync.WaitGroup
		var mu sync.Mutex
		acked := map[string]string{}
		refused := false
		for hand := range 8 {
			all.Go(func() {
				for i := 0; ; i++ {
					o := indextest.Object("b", fmt.Sprintf("r%d-h%d-%d", round, hand, i), "x")
					if err := x.Put(t.Context(), o, index.Condition{}); err != nil {
						mu.Lock()
						refused = refused || fault.KindOf(err) == fault.Later
						mu.Unlock()
						if i > 20 {
							return
						}
						continue
					}
					mu.Lock()
					acked[o.Key] = o.ID
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Second)
		server.Kill()
		all.Wait()
		if _, err := x.Object(t.Context(), "b", "k", ""); fault.KindOf(err) != fault.Later {
			t.Errorf("without a database: %v", err)
		}
		server.Up(t)
		for key, id := range acked {
			if o, err := x.Object(t.Context(), "b", key, ""); err != nil || o.ID != id {
				t.Fatalf("%s: %+v %v", key, o, err)
			}
		}
		if len(acked) == 0 {
			t.Error("nothing was put")
		}
		t.Logf("%d puts; later: %v", len(acked), refused)
	}
	sound(t, x)
}

// BenchmarkPostgres measures puts of 4 KiB from many hands, and pages.
func BenchmarkPostgres(b *testing.B) {
	x := openPostgres(b, pgtest.Start(b).Address(b))
	if err := x.CreateBucket(b.Context(), &index.Bucket{Name: "b", Owner: "ann"}); err != nil {
		b.Fatal(err)
	}
	data := string(make([]byte, 4096))
	put := func() {
		o := indextest.Object("b", "", data)
		o.Key, o.ETag = o.ID[:1]+"/"+o.ID, o.ID
		if err := x.Put(b.Context(), o, index.Condition{}); err != nil {
			b.Error(err)
		}
	}
	b.Run("Put", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				put()
			}
		})
	})
	for range 2000 {
		put()
	}
	for name, q := range map[string]index.Query{"Page": {Max: 1000}, "Prefixes": {Max: 1000, Delimiter: "/"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if page, err := x.List(b.Context(), "b", q); err != nil || len(page.Items)+len(page.Prefixes) < 16 {
					b.Fatal(page, err)
				}
			}
		})
	}
}
