package indextest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"karri/walrus/index"
)

func wantUsage(t testing.TB, x index.Index, bucket string, objects, bytes int64) {
	t.Helper()
	got, err := x.Usage(context.Background(), bucket)
	if must(t, err); got != (index.Usage{Objects: objects, Bytes: bytes}) {
		t.Errorf("usage of %s: %+v, want %d objects and %d bytes", bucket, got, objects, bytes)
	}
}

func usage(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	makeBucket(t, x, "b2", "ann")
	wantUsage(t, x, "b", 0, 0)
	put(t, x, "b", "k", "12345")
	put(t, x, "b", "k", "123")
	put(t, x, "b", "l", "1")
	wantUsage(t, x, "b", 2, 4)
	wantUsage(t, x, "b2", 0, 0)
	versioning(t, x, "b", index.Enabled)
	v := put(t, x, "b", "k", "12")
	wantUsage(t, x, "b", 3, 6)
	d := del(t, x, "k", "")
	wantUsage(t, x, "b", 3, 6)
	del(t, x, "k", v.Version)
	wantUsage(t, x, "b", 2, 4)
	u := upload(t, x, "b", "m", "up")
	p := part(1, "1234567")
	must(t, x.PutPart(ctx, u, part(1, "12345678")))
	wantUsage(t, x, "b", 2, 12)
	must(t, x.PutPart(ctx, u, p))
	wantUsage(t, x, "b", 2, 11)
	must(t, x.PutPart(ctx, upload(t, x, "b", "n", "left"), part(1, "1")))
	wantUsage(t, x, "b", 2, 12)
	must(t, x.Abort(ctx, "b", "n", "left"))
	wantUsage(t, x, "b", 2, 11)
	o := Object("b", "m", "")
	o.Size, o.Pieces = 7, []index.Piece{p.Piece}
	must(t, x.Complete(ctx, u, []index.Part{p}, o, index.Condition{}))
	wantUsage(t, x, "b", 3, 11)
	del(t, x, "m", o.Version)
	del(t, x, "k", d.Version)
	del(t, x, "k", index.Null)
	del(t, x, "l", index.Null)
	wantUsage(t, x, "b", 0, 0)
	must(t, x.PutPart(ctx, upload(t, x, "b", "n", "with the bucket"), part(1, "1")))
	must(t, x.DeleteBucket(ctx, "b"))
	makeBucket(t, x, "b", "ann")
	wantUsage(t, x, "b", 0, 0)
	_, err := x.Usage(ctx, "none")
	wantCode(t, err, "NoSuchBucket")
}

// sums makes so many additions that they are summed up on the way.
func sums(t *testing.T, x index.Index) {
	makeBucket(t, x, "b", "ann")
	var all sync.WaitGroup
	const hands, each = 8, 1100
	for h := range hands {
		all.Go(func() {
			for i := range each {
				o := Object("b", fmt.Sprintf("%d-%d", h, i%10), "xy")
				o.Pieces = nil
				if err := x.Put(context.Background(), o, index.Condition{}); err != nil {
					t.Error(err)
					return
				}
				if i%10 == 9 {
					if err := remove(x, "b", fmt.Sprintf("%d-%d", h, i%10), index.Condition{}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	wantUsage(t, x, "b", hands*9, hands*9*2)
}

// quotas race for the last places.
func quotas(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	quota := func(u index.Usage) {
		t.Helper()
		_, err := x.UpdateBucket(ctx, "b", func(b *index.Bucket) error { b.Quota = u; return nil })
		must(t, err)
	}
	quota(index.Usage{Objects: 10})
	var wins, losses atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			switch err := x.Put(ctx, Object("b", fmt.Sprint(i), "12345"), index.Condition{}); {
			case err == nil:
				wins.Add(1)
			case err == index.QuotaExceeded:
				losses.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if wins.Load() != 10 || losses.Load() != 6 {
		t.Errorf("%d won and %d lost", wins.Load(), losses.Load())
	}
	wantUsage(t, x, "b", 10, 50)
	quota(index.Usage{Bytes: 52})
	wantCode(t, x.Put(ctx, Object("b", "more", "123"), index.Condition{}), "QuotaExceeded")
	u := upload(t, x, "b", "u", "up")
	wantCode(t, x.PutPart(ctx, u, part(1, "123")), "QuotaExceeded")
	must(t, x.Put(ctx, Object("b", "more", "12"), index.Condition{}))
	quota(index.Usage{Bytes: 1})
	must(t, x.Put(ctx, Object("b", "more", "1"), index.Condition{})) // smaller than before
	must(t, remove(x, "b", "more", index.Condition{}))
	quota(index.Usage{})
	must(t, x.Put(ctx, Object("b", "more", "123456789"), index.Condition{}))
}

func settings(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	first, err := x.Bucket(ctx, "b")
	must(t, err)
	set := func(name, text string) *index.Bucket {
		t.Helper()
		b, err := x.UpdateBucket(ctx, "b", func(b *index.Bucket) error {
			b.Name, b.Owner = "other", "bob"
			if b.Settings[name] = []byte(text); text == "" {
				delete(b.Settings, name)
			}
			return nil
		})
		must(t, err)
		return b
	}
	b := set("policy", "one")
	if b.Revision <= first.Revision || len(first.Settings) != 0 || b.Name != "b" || b.Owner != "ann" {
		t.Errorf("%+v after %+v", b, first)
	}
	set("cors", "two")
	b, err = x.Bucket(ctx, "b")
	if must(t, err); string(b.Settings["policy"]) != "one" || string(b.Settings["cors"]) != "two" || b.Region != "us-east-1" {
		t.Errorf("%+v", b)
	}
	if b := set("policy", ""); len(b.Settings) != 1 {
		t.Errorf("%+v", b)
	}
	_, err = x.UpdateBucket(ctx, "none", func(*index.Bucket) error { return nil })
	wantCode(t, err, "NoSuchBucket")
	old := b.Revision
	must(t, x.DeleteBucket(ctx, "b"))
	makeBucket(t, x, "b", "bob")
	if b, err := x.Bucket(ctx, "b"); err != nil || b.Revision <= old || len(b.Settings) != 0 || b.Owner != "bob" {
		t.Errorf("born again: %+v %v", b, err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := x.UpdateBucket(ctx, "b", func(b *index.Bucket) error { b.Quota.Objects++; return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if b, err := x.Bucket(ctx, "b"); err != nil || b.Quota.Objects != 8 {
		t.Errorf("a change was lost: %+v %v", b, err)
	}
	makeBucket(t, x, "c", "ann")
	page, err := x.BucketsOf(ctx, "", index.Query{Max: 1})
	if must(t, err); len(page.Items) != 1 || page.Items[0].Name != "b" || !page.More {
		t.Errorf("all: %+v", page)
	}
	page, err = x.BucketsOf(ctx, "", index.Query{Max: 9, After: "b"})
	if must(t, err); len(page.Items) != 1 || page.Items[0].Name != "c" || page.More {
		t.Errorf("all: %+v", page)
	}
}
