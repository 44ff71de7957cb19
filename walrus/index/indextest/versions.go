package indextest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/walrus/index"
)

func versioning(t testing.TB, x index.Index, bucket, state string) {
	t.Helper()
	b, err := x.UpdateBucket(context.Background(), bucket, func(b *index.Bucket) error {
		b.Versioning = state
		return nil
	})
	must(t, err)
	if b.Versioning != state {
		t.Fatalf("versioning is %q, want %q", b.Versioning, state)
	}
}

// history is what Versions says of a bucket, a word for each row: the key, what
// was put (or "x" for a marker), "!" when it is the latest and "0" when null.
func history(t testing.TB, x index.Index, bucket string) string {
	t.Helper()
	var words []string
	for q := (index.Query{Max: 2}); ; {
		page, err := x.Versions(context.Background(), bucket, q)
		must(t, err)
		for _, e := range page.Items {
			words = append(words, word(e))
		}
		if !page.More {
			return strings.Join(words, " ")
		}
		q.After, q.AfterID = page.Last, page.LastID
	}
}

func word(e index.Entry) string {
	w := e.Key + ":" + strings.TrimPrefix(e.ETag, "e-")
	if e.Marker {
		w = e.Key + ":x"
	}
	if e.Latest {
		w += "!"
	}
	if e.Version == index.Null {
		w += "0"
	}
	return w
}

func wantHistory(t testing.TB, x index.Index, want string) {
	t.Helper()
	if got := history(t, x, "b"); got != want {
		t.Errorf("history is %q, want %q", got, want)
	}
}

func del(t testing.TB, x index.Index, key, version string) index.Deleted {
	t.Helper()
	d, err := x.Delete(context.Background(), "b", key, version, index.Condition{Owner: "eve"})
	must(t, err)
	return d
}

func versions(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	null := put(t, x, "b", "k", "0")
	if null.Version != index.Null {
		t.Errorf("version %q", null.Version)
	}
	versioning(t, x, "b", index.Enabled)
	one := put(t, x, "b", "k", "1")
	two := put(t, x, "b", "k", "2")
	a := put(t, x, "b", "ka", "a")
	wantHistory(t, x, "k:2! k:1 k:00 ka:a!")
	if len(freed(t, x)) != 0 {
		t.Error("a version that is only older is freed")
	}
	for _, o := range []*index.Object{null, one, two} {
		got, err := x.Object(ctx, "b", "k", o.Version)
		if must(t, err); got.ID != o.ID || got.Latest != (o == two) || !claimed(t, x, o.Pieces[0].ID) {
			t.Errorf("version %s: %+v", o.Version, got)
		}
	}
	marker := del(t, x, "k", "")
	if !marker.Marker || marker.Version == "" || marker.Version == index.Null {
		t.Errorf("deleted: %+v", marker)
	}
	wantHistory(t, x, "k:x! k:2 k:1 k:00 ka:a!")
	got, err := x.Object(ctx, "b", "k", "")
	if must(t, err); !got.Marker || got.Version != marker.Version || got.Owner != "eve" || !got.Latest {
		t.Errorf("current: %+v", got)
	}
	wantCode(t, x.Put(ctx, Object("b", "k", "9"), index.Condition{IfMatch: "*"}), "NoSuchKey")
	if page, err := x.List(ctx, "b", index.Query{Max: 9}); err != nil || len(page.Items) != 1 {
		t.Errorf("listed: %+v %v", page, err)
	}
	if d := del(t, x, "k", one.Version); d.Marker || d.Version != one.Version {
		t.Errorf("deleted: %+v", d)
	}
	wantHistory(t, x, "k:x! k:2 k:00 ka:a!")
	if d := del(t, x, "k", marker.Version); !d.Marker {
		t.Errorf("deleted: %+v", d)
	}
	wantHistory(t, x, "k:2! k:00 ka:a!")
	del(t, x, "k", two.Version)
	wantHistory(t, x, "k:0!0 ka:a!")
	if got := freed(t, x); !slices.Equal(got, []string{one.Pieces[0].ID, two.Pieces[0].ID}) {
		t.Errorf("freed: %v", got)
	}
	if d := del(t, x, "k", two.Version); d.Version != two.Version {
		t.Errorf("again: %+v", d)
	}
	del(t, x, "k", index.Null)
	wantHistory(t, x, "ka:a!")
	wantCode(t, x.DeleteBucket(ctx, "b"), "BucketNotEmpty")
	d := del(t, x, "ka", "")
	del(t, x, "ka", a.Version)
	wantHistory(t, x, "ka:x!")
	wantCode(t, x.DeleteBucket(ctx, "b"), "BucketNotEmpty")
	del(t, x, "ka", d.Version)
	must(t, x.DeleteBucket(ctx, "b"))
}

func suspension(t *testing.T, x index.Index) {
	makeBucket(t, x, "b", "ann")
	versioning(t, x, "b", index.Enabled)
	one := put(t, x, "b", "k", "1")
	versioning(t, x, "b", index.Suspended)
	first := put(t, x, "b", "k", "n1")
	wantHistory(t, x, "k:n1!0 k:1")
	put(t, x, "b", "k", "n2")
	wantHistory(t, x, "k:n2!0 k:1")
	if claimed(t, x, first.Pieces[0].ID) {
		t.Error("the null version that was replaced still claims")
	}
	versioning(t, x, "b", index.Enabled)
	put(t, x, "b", "k", "2")
	wantHistory(t, x, "k:2! k:n20 k:1")
	versioning(t, x, "b", index.Suspended)
	if d := del(t, x, "k", ""); !d.Marker || d.Version != index.Null {
		t.Errorf("deleted: %+v", d)
	}
	wantHistory(t, x, "k:x!0 k:2 k:1")
	del(t, x, "k", "")
	wantHistory(t, x, "k:x!0 k:2 k:1")
	got, err := x.Object(t.Context(), "b", "k", index.Null)
	if must(t, err); !got.Marker || !got.Latest {
		t.Errorf("null: %+v", got)
	}
	put(t, x, "b", "k", "n3")
	wantHistory(t, x, "k:n3!0 k:2 k:1")
	del(t, x, "k", index.Null)
	wantHistory(t, x, "k:2! k:1")
	del(t, x, "none", "")
	wantHistory(t, x, "k:2! k:1 none:x!0")
	if o, err := x.Object(t.Context(), "b", "k", one.Version); err != nil || o.ETag != "e-1" {
		t.Errorf("%+v %v", o, err)
	}
	_, err = x.UpdateBucket(t.Context(), "b", func(b *index.Bucket) error { b.Versioning = ""; return nil })
	if b, _ := x.Bucket(t.Context(), "b"); err != nil || b.Versioning != index.Suspended {
		t.Errorf("%+v %v", b, err)
	}
}

func locks(t *testing.T, x index.Index) {
	ctx := t.Context()
	must(t, x.CreateBucket(ctx, &index.Bucket{Name: "b", Owner: "ann", Locked: true}))
	if b, err := x.Bucket(ctx, "b"); err != nil || b.Versioning != index.Enabled {
		t.Errorf("%+v %v", b, err)
	}
	_, err := x.UpdateBucket(ctx, "b", func(b *index.Bucket) error { b.Versioning = index.Suspended; return nil })
	wantCode(t, err, "InvalidBucketState")
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		retention *index.Retention
		hold      bool
		when      index.Condition
		locked    bool
	}{
		{&index.Retention{Mode: index.Compliance, Until: now.Add(1)}, false, index.Condition{Now: now, Bypass: true}, true},
		{&index.Retention{Mode: index.Compliance, Until: now}, false, index.Condition{Now: now}, false},
		{&index.Retention{Mode: index.Governance, Until: now.Add(1)}, false, index.Condition{Now: now}, true},
		{&index.Retention{Mode: index.Governance, Until: now.Add(1)}, false, index.Condition{Now: now, Bypass: true}, false},
		{nil, true, index.Condition{Now: now, Bypass: true}, true},
		{nil, false, index.Condition{Now: now}, false},
	} {
		o := Object("b", "k", "x")
		o.Retention, o.Hold = c.retention, c.hold
		must(t, x.Put(ctx, o, index.Condition{}))
		put(t, x, "b", "k", "over it") // locks versions, not names
		_, err := x.Delete(ctx, "b", "k", o.Version, c.when)
		if c.locked {
			wantCode(t, err, "AccessDenied")
			_, err = x.Object(ctx, "b", "k", o.Version)
		}
		must(t, err)
	}
	_, err = x.Delete(ctx, "b", "k", "", index.Condition{Now: now})
	must(t, err)
}

func updates(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	versioning(t, x, "b", index.Enabled)
	one, two := put(t, x, "b", "k", "1"), put(t, x, "b", "k", "2")
	for _, o := range []*index.Object{one, two} {
		event := &index.Event{Name: "s3:ObjectTagging:Put"}
		got, err := x.Update(ctx, "b", "k", o.Version, func(o *index.Object) error {
			o.Tags = append(o.Tags, index.Tag{Key: "is", Value: o.ETag})
			o.ID, o.Pieces, o.Size, o.Version = "", nil, 99, ""
			return nil
		}, index.Condition{Event: event})
		must(t, err)
		if got.ID != o.ID || len(got.Pieces) != 1 || got.Size != 1 || got.Version != o.Version {
			t.Errorf("more than the tags changed: %+v", got)
		}
		got, err = x.Object(ctx, "b", "k", o.Version)
		if must(t, err); !slices.Equal(got.Tags, []index.Tag{{Key: "is", Value: o.ETag}}) || got.ID != o.ID || got.Meta["k"] != "v" {
			t.Errorf("%+v", got)
		}
	}
	wantHistory(t, x, "k:2! k:1")
	no := fmt.Errorf("no")
	if _, err := x.Update(ctx, "b", "k", "", func(*index.Object) error { return no }, index.Condition{}); err != no {
		t.Error(err)
	}
	_, err := x.Update(ctx, "b", "none", "", func(*index.Object) error { return nil }, index.Condition{})
	wantCode(t, err, "NoSuchKey")
	_, err = x.Update(ctx, "b", "k", "bad", func(*index.Object) error { return nil }, index.Condition{})
	wantCode(t, err, "NoSuchVersion")
	_, err = x.Update(ctx, "b", "k", one.Version, func(*index.Object) error { return nil }, index.Condition{IfMatch: "e-2"})
	wantCode(t, err, "PreconditionFailed")
}

func events(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	when := func(name string) index.Condition {
		return index.Condition{Event: &index.Event{Name: name, Account: "bob", Targets: []index.Target{{Queue: "other", Rule: "r0"}, {Queue: "q", Rule: "r1"}}}}
	}
	must(t, x.Put(ctx, Object("b", "k", "one"), when("put")))
	versioning(t, x, "b", index.Enabled)
	two := Object("b", "k", "four")
	must(t, x.Put(ctx, two, when("put")))
	wantCode(t, x.Put(ctx, Object("b", "k", "x"), index.Condition{IfNoneMatch: true, Event: when("never").Event}), "PreconditionFailed")
	d, err := x.Delete(ctx, "b", "k", "", when("marker"))
	must(t, err)
	_, err = x.Delete(ctx, "b", "k", two.Version, when("delete"))
	must(t, err)
	all, err := x.Events(ctx, "q", 0, 100)
	must(t, err)
	var got []string
	for _, e := range all {
		got = append(got, fmt.Sprint(e.Name, " ", e.Bucket, "/", e.Key, " ", e.Version, " ", e.ETag, " ", e.Size, " ", e.Account, e.Queue, e.Rule))
	}
	want := []string{"put b/k  e-one 3 bobqr1", "put b/k " + two.Version + " e-four 4 bobqr1",
		"marker b/k " + d.Version + "  0 bobqr1", "delete b/k " + two.Version + " e-four 4 bobqr1"}
	if !slices.Equal(got, want) {
		t.Errorf("events\n%q\nwant\n%q", got, want)
	}
	rest, err := x.Events(ctx, "q", all[0].Seq, 1)
	if must(t, err); len(rest) != 1 || rest[0].Seq != all[1].Seq {
		t.Errorf("after the first: %+v", rest)
	}
	must(t, x.EventsDone(ctx, "q", all[0].Seq, all[1].Seq, all[2].Seq))
	if rest, err = x.Events(ctx, "q", 0, 9); err != nil || len(rest) != 1 || rest[0].Name != "delete" {
		t.Errorf("left: %+v %v", rest, err)
	}
}
