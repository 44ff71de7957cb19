package indextest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"karri/shared/fault"
	"karri/walrus/index"
)

func accountQuotas(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b1", "ann")
	makeBucket(t, x, "b2", "ann")
	makeBucket(t, x, "b3", "bob")
	must(t, x.Put(ctx, Object("b1", "k", "one"), index.Condition{}))
	must(t, x.SetQuota(ctx, "ann", index.Usage{Bytes: 7}))
	used, quota, err := x.Account(ctx, "ann")
	if must(t, err); used != (index.Usage{Objects: 1, Bytes: 3, Buckets: 2}) || quota != (index.Usage{Bytes: 7}) {
		t.Errorf("ann holds %+v of %+v", used, quota)
	}
	must(t, x.Put(ctx, Object("b2", "k", "four"), index.Condition{}))
	wantCode(t, x.Put(ctx, Object("b2", "k2", "x"), index.Condition{}), "QuotaExceeded")
	must(t, x.Put(ctx, Object("b2", "k", "gone"), index.Condition{})) // nothing larger
	must(t, x.Put(ctx, Object("b3", "k", "twelve bytes"), index.Condition{}))
	must(t, x.SetQuota(ctx, "ann", index.Usage{Bytes: -1})) // none at all
	wantCode(t, x.Put(ctx, Object("b1", "k3", "x"), index.Condition{}), "QuotaExceeded")
	must(t, x.SetQuota(ctx, "ann", index.Usage{}))
	must(t, x.Put(ctx, Object("b2", "k2", "x"), index.Condition{}))
}

// makerQuotas holds a user to what it may have in buckets that it made.
func makerQuotas(t *testing.T, x index.Index) {
	ctx := index.By(t.Context(), index.Maker{ID: "AIDAEVE", Quota: index.Usage{Buckets: 2, Objects: 3, Bytes: 10}})
	make := func(name, creator string) error {
		return x.CreateBucket(ctx, &index.Bucket{Name: name, Owner: "ann", Creator: creator, Region: "r"})
	}
	makeBucket(t, x, "b0", "ann")
	must(t, make("b1", "AIDAEVE"))
	must(t, make("b2", "AIDAEVE"))
	wantCode(t, make("b3", "AIDAEVE"), "TooManyBuckets")
	must(t, make("b3", "AIDABOB")) // whose quota is not known here
	must(t, x.Put(ctx, Object("b1", "k", "six by"), index.Condition{}))
	wantCode(t, x.Put(ctx, Object("b2", "k", "five."), index.Condition{}), "QuotaExceeded")
	must(t, x.Put(ctx, Object("b2", "k", "four"), index.Condition{}))
	must(t, x.Put(ctx, Object("b2", "empty", ""), index.Condition{}))
	wantCode(t, x.Put(ctx, Object("b2", "empty too", ""), index.Condition{}), "QuotaExceeded")
	must(t, x.Put(ctx, Object("b0", "k", "twelve bytes"), index.Condition{})) // another's
	must(t, x.Put(ctx, Object("b3", "k", "twelve bytes"), index.Condition{}))
	must(t, x.Put(t.Context(), Object("b1", "more", "twelve bytes"), index.Condition{})) // another writes
	must(t, x.SetQuota(ctx, "ann", index.Usage{Buckets: 4}))
	for _, o := range []string{"b3 k", "b2 k", "b2 empty"} {
		bucket, key, _ := strings.Cut(o, " ")
		_, err := x.Delete(ctx, bucket, key, "", index.Condition{})
		must(t, err)
	}
	must(t, x.DeleteBucket(ctx, "b3"))
	must(t, x.DeleteBucket(ctx, "b2"))
	must(t, make("b2", "AIDAEVE"))
	must(t, make("b4", ""))
	wantCode(t, make("b5", ""), "TooManyBuckets")
	ctx = index.By(t.Context(), index.Maker{ID: "AIDAEVE", Quota: index.Usage{Buckets: -1, Bytes: -1}})
	must(t, x.SetQuota(ctx, "ann", index.Usage{}))
	wantCode(t, make("b5", "AIDAEVE"), "TooManyBuckets")
	wantCode(t, x.Put(ctx, Object("b2", "k", "x"), index.Condition{}), "QuotaExceeded")
}

// bucketQuotas races makers of buckets at a bound.
func bucketQuotas(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b0", "ann")
	must(t, x.SetQuota(ctx, "ann", index.Usage{Buckets: 5}))
	var wg sync.WaitGroup
	var made atomic.Int64
	for i := range 50 {
		wg.Go(func() {
			err := x.CreateBucket(ctx, &index.Bucket{Name: fmt.Sprintf("race%d", i), Owner: "ann", Region: "r"})
			if err == nil {
				made.Add(1)
			} else if fault.CodeOf(err) != "TooManyBuckets" {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	used, _, err := x.Account(ctx, "ann")
	if must(t, err); made.Load() != 4 || used.Buckets != 5 {
		t.Errorf("%d were made, ann has %d", made.Load(), used.Buckets)
	}
	makeBucket(t, x, "bobs", "bob")
	must(t, x.SetQuota(ctx, "ann", index.Usage{Buckets: -1}))
	must(t, x.DeleteBucket(ctx, "b0"))
	wantCode(t, x.CreateBucket(ctx, &index.Bucket{Name: "b0", Owner: "ann", Region: "r"}), "TooManyBuckets")
}

func marks(t *testing.T, x index.Index) {
	ctx := t.Context()
	b, err := x.Mark(ctx, "m")
	if must(t, err); b != nil {
		t.Errorf("a mark from nowhere: %q", b)
	}
	must(t, x.SetMark(ctx, "m", nil, []byte("1")))
	wantCode(t, x.SetMark(ctx, "m", nil, []byte("2")), "OperationAborted")
	must(t, x.SetMark(ctx, "m", []byte("1"), []byte("2")))
	wantCode(t, x.SetMark(ctx, "m", []byte("1"), nil), "OperationAborted")
	if b, err = x.Mark(ctx, "m"); err != nil || string(b) != "2" {
		t.Errorf("mark %q %v", b, err)
	}
	must(t, x.SetMark(ctx, "m", []byte("2"), nil))
	if b, err = x.Mark(ctx, "m"); err != nil || b != nil {
		t.Errorf("the mark is still there: %q %v", b, err)
	}
}

func queues(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	for i, to := range [][]index.Target{{{Queue: "a"}, {Queue: "a b"}}, {{Queue: "a b"}}, {}, {{Queue: "z", Rule: "r"}}} {
		must(t, x.Put(ctx, Object("b", fmt.Sprint(i), "one"), index.Condition{Event: &index.Event{Name: "put", Targets: to}}))
	}
	list := func() (names []string) {
		all, err := x.Queues(ctx)
		must(t, err)
		for _, q := range all {
			names = append(names, fmt.Sprint(q.Name, ":", q.Length))
		}
		return names
	}
	if got := list(); !slices.Equal(got, []string{"a:1", "a b:2", "z:1"}) {
		t.Errorf("queues %q", got)
	}
	one, err := x.Events(ctx, "a", 0, 9)
	must(t, err)
	must(t, x.EventsDone(ctx, "a", one[0].Seq))
	if got := list(); !slices.Equal(got, []string{"a b:2", "z:1"}) {
		t.Errorf("queues %q", got)
	}
}

func bucketsWith(t *testing.T, x index.Index) {
	ctx := t.Context()
	set := func(bucket string, names ...string) {
		_, err := x.UpdateBucket(ctx, bucket, func(b *index.Bucket) error {
			b.Settings = map[string][]byte{}
			for _, n := range names {
				b.Settings[n] = []byte("x")
			}
			return nil
		})
		must(t, err)
	}
	list := func(setting string, q index.Query) string {
		page, err := x.BucketsWith(ctx, setting, q)
		must(t, err)
		var names []string
		for _, b := range page.Items {
			names = append(names, b.Name)
		}
		return fmt.Sprint(strings.Join(names, " "), page.More)
	}
	for _, b := range []string{"b1", "b2", "b3"} {
		makeBucket(t, x, b, "ann")
	}
	must(t, x.CreateBucket(ctx, &index.Bucket{Name: "b0", Owner: "ann", Settings: map[string][]byte{"inventory/1": []byte("x")}}))
	set("b1", "lifecycle", "inventory/1", "inventory/2")
	set("b2", "lifecycle")
	set("b3", "lifecycle", "cors")
	for _, c := range []struct{ setting, want string }{{"lifecycle", "b1 b2 b3false"}, {"inventory", "b0 b1false"}, {"cors", "b3false"}, {"life", "false"}} {
		if got := list(c.setting, index.Query{Max: 9}); got != c.want {
			t.Errorf("with %s: %s, want %s", c.setting, got, c.want)
		}
	}
	if got := list("lifecycle", index.Query{Max: 1, After: "b1"}); got != "b2true" {
		t.Errorf("a page: %s", got)
	}
	set("b1", "inventory/2")
	set("b2")
	must(t, x.DeleteBucket(ctx, "b3"))
	if got := list("lifecycle", index.Query{Max: 9}) + list("inventory", index.Query{Max: 9}) + list("cors", index.Query{Max: 9}); got != "falseb0 b1falsefalse" {
		t.Errorf("after changes: %s", got)
	}
}

func shown(e index.Entry) string {
	s := e.Key + ":" + e.Version
	if e.Latest {
		s += "*"
	}
	if e.Marker {
		s += "m"
	}
	return s
}

func walks(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	must(t, x.Put(ctx, Object("b", "a", "null"), index.Condition{}))
	versioning(t, x, "b", index.Enabled)
	for _, k := range []string{"a", "a", "b", "c", "ca"} {
		o := Object("b", k, "one")
		o.Tags = []index.Tag{{Key: "of", Value: k}}
		must(t, x.Put(ctx, o, index.Condition{}))
	}
	_, err := x.Delete(ctx, "b", "c", "", index.Condition{})
	must(t, err)
	walk := func(q index.Query, each func()) (seen []string) {
		must(t, x.Walk(ctx, "b", q, func(o *index.Object) error {
			each()
			s := shown(o.Entry)
			if !o.Marker && o.Version != index.Null && (len(o.Tags) != 1 || o.Tags[0].Value != o.Key) {
				t.Errorf("%s has tags %v", s, o.Tags)
			}
			seen = append(seen, s)
			return nil
		}))
		return seen
	}
	listed, err := x.Versions(ctx, "b", index.Query{Max: 100})
	must(t, err)
	var want []string
	for _, e := range listed.Items {
		want = append(want, shown(e))
	}
	once := false
	got := walk(index.Query{}, func() {
		if once {
			return
		}
		once = true // what happens meanwhile is not seen
		done := make(chan error)
		go func() { done <- x.Put(context.WithoutCancel(ctx), Object("b", "z", "late"), index.Condition{}) }()
		must(t, <-done)
	})
	if len(want) != 7 || !slices.Equal(got, want) {
		t.Errorf("walked %q, listed %q", got, want)
	}
	e := listed.Items[1]
	if got := walk(index.Query{After: e.Key, AfterID: e.Version, Max: 3}, func() {}); !slices.Equal(got, want[2:5]) {
		t.Errorf("on behind the second: %q, want %q", got, want[2:5])
	}
	if got := walk(index.Query{Prefix: "c"}, func() {}); !slices.Equal(got, want[4:]) {
		t.Errorf("with c: %q, want %q", got, want[4:])
	}
	stop := errors.New("stop")
	if err := x.Walk(ctx, "b", index.Query{}, func(*index.Object) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
}

func pinnedDelete(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	o := Object("b", "k", "one")
	must(t, x.Put(ctx, o, index.Condition{}))
	must(t, x.Put(ctx, Object("b", "k", "one"), index.Condition{}))
	_, err := x.Delete(ctx, "b", "k", "", index.Condition{Pin: &index.Pin{ID: o.ID}})
	wantCode(t, err, "OperationAborted")
	now, err := x.Object(ctx, "b", "k", "")
	must(t, err)
	_, err = x.Delete(ctx, "b", "k", "", index.Condition{Pin: &index.Pin{ID: now.ID}})
	must(t, err)
}
