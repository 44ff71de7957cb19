// Package indextest has the one suite that every index.Index must pass.
package indextest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"karri/shared/fault"
	"karri/walrus/content"
	"karri/walrus/index"
)

// Suite runs the suite. Each part gets a fresh index.
func Suite(t *testing.T, fresh func(t *testing.T) index.Index) {
	for name, part := range map[string]func(*testing.T, index.Index){
		"buckets":                      buckets,
		"objects and their pieces":     objects,
		"conditions":                   conditions,
		"a copy pins the pieces":       pins,
		"uploads":                      uploads,
		"lists agree with a model":     lists,
		"only one wins":                race,
		"a bucket ends only empty":     endings,
		"keys do not run into each":    neighbours,
		"settings of a bucket":         settings,
		"versions":                     versions,
		"suspended versions":           suspension,
		"locked versions":              locks,
		"updates in place":             updates,
		"events":                       events,
		"usage":                        usage,
		"usage is summed up":           sums,
		"quotas":                       quotas,
		"histories agree with a model": histories,
		"quotas of accounts":           accountQuotas,
		"quotas of buckets":            bucketQuotas,
		"quotas of makers":             makerQuotas,
		"marks":                        marks,
		"queues":                       queues,
		"buckets by their settings":    bucketsWith,
		"walks":                        walks,
		"a delete that is pinned":      pinnedDelete,
		"races of completions":         completions,
		"contended keys":               contended,
		"folders that come and go":     folders,
	} {
		t.Run(name, func(t *testing.T) {
			x := fresh(t)
			part(t, x)
			if _, err := x.Verify(t.Context(), func(problem string) { t.Error(problem) }); err != nil {
				t.Error(err)
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func makeBucket(t testing.TB, x index.Index, name, owner string) {
	t.Helper()
	must(t, x.CreateBucket(context.Background(), &index.Bucket{Name: name, Owner: owner, Region: "us-east-1", Created: time.Now()}))
}

// Object returns an object of one piece, to be put.
func Object(bucket, key, data string) *index.Object {
	return &index.Object{
		Entry:  index.Entry{Key: key, Size: int64(len(data)), Modified: time.Now().UTC(), ETag: "e-" + data},
		Bucket: bucket, ID: content.NewID(),
		Pieces: []index.Piece{{ID: content.NewID(), Size: int64(len(data)), Inline: true, Data: []byte(data)}},
		Meta:   map[string]string{"k": "v"},
	}
}

func put(t testing.TB, x index.Index, bucket, key, data string) *index.Object {
	t.Helper()
	o := Object(bucket, key, data)
	must(t, x.Put(context.Background(), o, index.Condition{}))
	return o
}

func remove(x index.Index, bucket, key string, when index.Condition) error {
	_, err := x.Delete(context.Background(), bucket, key, "", when)
	return err
}

func claimed(t testing.TB, x index.Index, piece string) bool {
	t.Helper()
	c, err := x.Claimed(context.Background(), piece)
	must(t, err)
	return c
}

// freed returns the ids of the pieces named in the outbox.
func freed(t testing.TB, x index.Index) []string {
	t.Helper()
	lines, err := x.Lines(context.Background(), 1000)
	must(t, err)
	var ids []string
	for _, l := range lines {
		for _, p := range l.Free {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func buckets(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b1", "ann")
	makeBucket(t, x, "b3", "ann")
	makeBucket(t, x, "b2", "bob")
	wantCode(t, x.CreateBucket(ctx, &index.Bucket{Name: "b1", Owner: "ann"}), "BucketAlreadyOwnedByYou")
	wantCode(t, x.CreateBucket(ctx, &index.Bucket{Name: "b1", Owner: "bob"}), "BucketAlreadyExists")
	page, err := x.BucketsOf(ctx, "ann", index.Query{Max: 10})
	must(t, err)
	if len(page.Items) != 2 || page.Items[0].Name != "b1" || page.Items[1].Name != "b3" || page.More {
		t.Errorf("ann's: %+v", page)
	}
	page, err = x.BucketsOf(ctx, "ann", index.Query{Max: 1})
	must(t, err)
	if len(page.Items) != 1 || !page.More || page.Last != "b1" {
		t.Errorf("first page: %+v", page)
	}
	must(t, x.DeleteBucket(ctx, "b1"))
	wantCode(t, x.DeleteBucket(ctx, "b1"), "NoSuchBucket")
	_, err = x.Bucket(ctx, "b1")
	wantCode(t, err, "NoSuchBucket")
	wantCode(t, x.Put(ctx, Object("b1", "k", "x"), index.Condition{}), "NoSuchBucket")
	_, err = x.Object(ctx, "b1", "k", "")
	wantCode(t, err, "NoSuchBucket")
	_, err = x.List(ctx, "b1", index.Query{Max: 1})
	wantCode(t, err, "NoSuchBucket")
}

func objects(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	_, err := x.Object(ctx, "b", "k", "")
	wantCode(t, err, "NoSuchKey")
	first := put(t, x, "b", "k", "one")
	got, err := x.Object(ctx, "b", "k", "")
	must(t, err)
	if got.ID != first.ID || got.ETag != "e-one" || got.Size != 3 || !got.Modified.Equal(first.Modified) || got.Meta["k"] != "v" || got.Bucket != "b" || got.Key != "k" {
		t.Errorf("got %+v", got)
	}
	data, err := x.Inline(ctx, got.Pieces[0].ID)
	if must(t, err); string(data) != "one" {
		t.Errorf("inline: %q", data)
	}
	if len(freed(t, x)) != 0 || !claimed(t, x, first.Pieces[0].ID) {
		t.Error("the first put already frees something, or claims nothing")
	}
	second := put(t, x, "b", "k", "two")
	if got := freed(t, x); !slices.Equal(got, []string{first.Pieces[0].ID}) {
		t.Errorf("freed: %v", got)
	}
	if claimed(t, x, first.Pieces[0].ID) || !claimed(t, x, second.Pieces[0].ID) {
		t.Error("wrong claims")
	}
	must(t, remove(x, "b", "k", index.Condition{}))
	must(t, remove(x, "b", "k", index.Condition{}))
	if got := freed(t, x); len(got) != 2 || claimed(t, x, second.Pieces[0].ID) {
		t.Errorf("freed: %v", got)
	}
	lines, err := x.Lines(ctx, 1)
	must(t, err)
	l, err := x.Line(ctx, lines[0].Seq)
	if must(t, err); len(l.Free) != 1 || l.Seq != lines[0].Seq {
		t.Errorf("line: %+v", l)
	}
	for range 2 {
		must(t, x.Done(ctx, l.Seq, []string{l.Free[0].ID}))
	}
	_, err = x.Line(ctx, l.Seq)
	wantCode(t, err, "NoSuchLine")
	if _, err := x.Inline(ctx, l.Free[0].ID); err == nil {
		t.Error("the bytes are still there")
	}
}

func conditions(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	wantCode(t, x.Put(ctx, Object("b", "k", "x"), index.Condition{IfMatch: "e-x"}), "NoSuchKey")
	must(t, x.Put(ctx, Object("b", "k", "one"), index.Condition{IfNoneMatch: true}))
	wantCode(t, x.Put(ctx, Object("b", "k", "x"), index.Condition{IfNoneMatch: true}), "PreconditionFailed")
	wantCode(t, x.Put(ctx, Object("b", "k", "x"), index.Condition{IfMatch: "e-x"}), "PreconditionFailed")
	must(t, x.Put(ctx, Object("b", "k", "two"), index.Condition{IfMatch: "e-one"}))
	must(t, x.Put(ctx, Object("b", "k", "three"), index.Condition{IfMatch: "*"}))
	wantCode(t, remove(x, "b", "k", index.Condition{IfMatch: "e-two"}), "PreconditionFailed")
	must(t, remove(x, "b", "k", index.Condition{IfMatch: "e-three"}))
}

func pins(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	makeBucket(t, x, "c", "bob")
	from := put(t, x, "b", "k", "bytes")
	to := Object("c", "copy", "")
	to.Pieces = []index.Piece{{ID: from.Pieces[0].ID, Size: 5, Inline: true}}
	pin := &index.Pin{Bucket: "b", Key: "k", ID: from.ID}
	must(t, x.Put(ctx, to, index.Condition{Pin: pin}))
	must(t, remove(x, "b", "k", index.Condition{}))
	if !claimed(t, x, from.Pieces[0].ID) {
		t.Error("the copy does not claim the bytes")
	}
	again := Object("c", "copy2", "")
	again.Pieces = to.Pieces
	wantCode(t, x.Put(ctx, again, index.Condition{Pin: pin}), "OperationAborted")
	self := Object("c", "copy", "")
	self.Pieces = to.Pieces
	must(t, x.Put(ctx, self, index.Condition{Pin: &index.Pin{Bucket: "c", Key: "copy", ID: to.ID}}))
	if !claimed(t, x, from.Pieces[0].ID) {
		t.Error("a copy onto itself lost the bytes")
	}
	must(t, remove(x, "c", "copy", index.Condition{}))
	if claimed(t, x, from.Pieces[0].ID) {
		t.Error("nobody has it, and it is claimed")
	}
}

func endings(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	makeBucket(t, x, "b2", "ann")
	put(t, x, "b2", "k", "x")
	put(t, x, "b", "k", "x")
	wantCode(t, x.DeleteBucket(ctx, "b"), "BucketNotEmpty")
	must(t, remove(x, "b", "k", index.Condition{}))
	must(t, x.DeleteBucket(ctx, "b"))
	_, err := x.Object(ctx, "b2", "k", "")
	must(t, err)
}

func neighbours(t *testing.T, x index.Index) {
	makeBucket(t, x, "b", "ann")
	keys := []string{"a", "a\x00", "a\x00\x01", "a\x00\xc3\xbf", "a\x01", "ab", "a/", "a//", "../a", "\u00ff"}
	for _, k := range keys {
		put(t, x, "b", k, k)
	}
	slices.Sort(keys)
	page, err := x.List(t.Context(), "b", index.Query{Max: 100})
	must(t, err)
	var got []string
	for _, e := range page.Items {
		got = append(got, e.Key)
		if e.ETag != "e-"+e.Key {
			t.Errorf("%q has the row of %q", e.Key, e.ETag)
		}
	}
	if !slices.Equal(got, keys) {
		t.Errorf("got %q, want %q", got, keys)
	}
	must(t, remove(x, "b", "a", index.Condition{}))
	if _, err := x.Object(t.Context(), "b", "a\x00", ""); err != nil {
		t.Error(err)
	}
}

// race puts one key from many sides, if it is not there: one must win.
func race(t *testing.T, x index.Index) {
	makeBucket(t, x, "b", "ann")
	for round := range 5 {
		var wins atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if x.Put(t.Context(), Object("b", fmt.Sprint(round), "x"), index.Condition{IfNoneMatch: true}) == nil {
					wins.Add(1)
				}
			})
		}
		all.Wait()
		if wins.Load() != 1 {
			t.Errorf("round %d: %d winners", round, wins.Load())
		}
	}
}

var listed atomic.Int32

func lists(t *testing.T, x index.Index) {
	word := rapid.StringOfN(rapid.SampledFrom([]rune{'a', 'b', '/', '-', 0, 'ü'}), 1, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		bucket := fmt.Sprintf("l%d", listed.Add(1))
		makeRapid(t, x, bucket)
		model := map[string]bool{}
		for _, k := range rapid.SliceOfN(word, 0, 25).Draw(t, "keys") {
			model[k] = true
			if err := x.Put(context.Background(), Object(bucket, k, ""), index.Condition{}); err != nil {
				t.Fatal(err)
			}
		}
		q := index.Query{
			Prefix:    rapid.OneOf(rapid.Just(""), word).Draw(t, "prefix"),
			Delimiter: rapid.SampledFrom([]string{"", "/", "-", "ab"}).Draw(t, "delimiter"),
			Max:       rapid.IntRange(1, 7).Draw(t, "max"),
		}
		var got []string
		for {
			page, err := x.List(context.Background(), bucket, q)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(page.Items) + len(page.Prefixes); n > q.Max || page.More && n != q.Max {
				t.Fatalf("a page of %d, max %d, more %v", n, q.Max, page.More)
			}
			for _, e := range page.Items {
				got = append(got, e.Key)
			}
			for _, p := range page.Prefixes {
				got = append(got, "prefix "+p)
			}
			if !page.More {
				break
			}
			q.After = page.Last
		}
		want := modelList(model, q)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%+v: got %q, want %q", q, got, want)
		}
	})
}

func makeRapid(t *rapid.T, x index.Index, bucket string) {
	if err := x.CreateBucket(context.Background(), &index.Bucket{Name: bucket, Owner: "ann"}); err != nil {
		t.Fatal(err)
	}
}

func modelList(model map[string]bool, q index.Query) []string {
	set := map[string]bool{}
	for k := range model {
		rest, ok := strings.CutPrefix(k, q.Prefix)
		if !ok {
			continue
		}
		if i := strings.Index(rest, q.Delimiter); q.Delimiter != "" && i >= 0 {
			set["prefix "+q.Prefix+rest[:i+len(q.Delimiter)]] = true
		} else {
			set[k] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
