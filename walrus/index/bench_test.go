package index_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"karri/walrus/index"
	"karri/walrus/index/indextest"
)

// fill puts n objects below a hundred prefixes.
func fill(b *testing.B, x *index.Store, n int) {
	b.Helper()
	if err := x.CreateBucket(b.Context(), &index.Bucket{Name: "b", Owner: "ann"}); err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	const hands = 64
	for h := range hands {
		all.Go(func() {
			for i := h; i < n; i += hands {
				o := indextest.Object("b", fmt.Sprintf("dir%02d/object-%08d", i%100, i), "")
				o.Size, o.ETag, o.Pieces = 4096, "d41d8cd98f00b204e9800998ecf8427e", []index.Piece{{ID: o.ID, Size: 4096}}
				if err := x.Put(b.Context(), o, index.Condition{}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

var sizes = []struct {
	name string
	n    int
}{{"100k", 100_000}, {"1M", 1_000_000}}

// BenchmarkBucket measures a bucket of many objects; the disk is memory, so
// that it is the work that is measured.
func BenchmarkBucket(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			if testing.Short() && size.n > 100_000 {
				b.Skip("long")
			}
			disk := vfs.NewMem()
			x := open(b, disk, "")
			defer func() { _ = x.Close() }()
			fill(b, x, size.n)
			b.Run("Walk", func(b *testing.B) { walk(b, x, min(size.n, 100_000)) })
			b.Run("FirstPage", func(b *testing.B) {
				for b.Loop() {
					if page, err := x.List(b.Context(), "b", index.Query{Max: 1000}); err != nil || len(page.Items) != 1000 {
						b.Fatal(len(page.Items), err)
					}
				}
			})
			b.Run("Prefixes", func(b *testing.B) {
				for b.Loop() {
					prefixes(b, x, index.Query{Delimiter: "/", Max: 1000})
				}
			})
			b.Run("PrefixesAnew", func(b *testing.B) { // what comes after a key is not remembered
				for b.Loop() {
					prefixes(b, x, index.Query{Delimiter: "/", Max: 1000, After: "a"})
				}
			})
			b.Run("Get", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					n := i * 7919 % size.n
					if _, err := x.Object(b.Context(), "b", fmt.Sprintf("dir%02d/object-%08d", n%100, n), ""); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("Start", func(b *testing.B) { // to the first answers
				for b.Loop() {
					_ = x.Close()
					x = open(b, disk, "")
					if _, err := x.Object(b.Context(), "b", "dir00/object-00000000", ""); err != nil {
						b.Fatal(err)
					}
					prefixes(b, x, index.Query{Delimiter: "/", Max: 1000})
				}
			})
			b.Run("Overwrite", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					n := i * 7919 % size.n
					o := indextest.Object("b", fmt.Sprintf("dir%02d/object-%08d", n%100, n), "")
					if err := x.Put(b.Context(), o, index.Condition{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// walk lists n objects in pages of a thousand.
func walk(b *testing.B, x *index.Store, n int) {
	for b.Loop() {
		seen := 0
		for q := (index.Query{Max: 1000}); seen < n; {
			page, err := x.List(b.Context(), "b", q)
			if err != nil {
				b.Fatal(err)
			}
			seen += len(page.Items)
			q.After = page.Last
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}

func prefixes(b *testing.B, x *index.Store, q index.Query) {
	page, err := x.List(b.Context(), "b", q)
	if err != nil || len(page.Prefixes) != 100 {
		b.Fatal(len(page.Prefixes), err)
	}
}

// BenchmarkPut puts objects of 4 KiB from many hands on the real disk.
func BenchmarkPut(b *testing.B) {
	x := open(b, nil, b.TempDir())
	defer x.Close()
	if err := x.CreateBucket(b.Context(), &index.Bucket{Name: "b", Owner: "ann"}); err != nil {
		b.Fatal(err)
	}
	data := string(make([]byte, 4096))
	b.SetParallelism(16)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			o := indextest.Object("b", "", data)
			o.Key, o.ETag = o.ID, o.ID
			if err := x.Put(b.Context(), o, index.Condition{}); err != nil {
				b.Error(err)
			}
		}
	})
}
