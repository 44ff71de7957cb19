package indextest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"karri/shared/fault"
	"karri/walrus/content"
	"karri/walrus/index"
)

// A world is what a bucket must hold: lists of versions, the newest first.
type world struct {
	x          index.Index
	bucket     string
	versioning string
	keys       map[string][]*index.Object
	uploads    map[string]*open
	pieces     map[string]bool // all there ever were
	events     int
}

type open struct {
	*index.Upload
	parts map[int]index.Part
}

var worlds atomic.Int32

// histories makes random changes of a bucket, and asks after each what a model
// says too.
func histories(t *testing.T, x index.Index) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{x: x, bucket: fmt.Sprintf("h%d", worlds.Add(1)), keys: map[string][]*index.Object{}, uploads: map[string]*open{}, pieces: map[string]bool{}}
		makeRapid(t, x, w.bucket)
		t.Repeat(map[string]func(*rapid.T){
			"":           w.check,
			"put":        w.put,
			"put 2":      w.put,
			"delete":     w.delete,
			"end":        w.end,
			"end 2":      w.end,
			"copy":       w.copy,
			"update":     w.update,
			"versioning": w.switchVersioning,
			"upload":     w.upload,
			"part":       w.part,
			"complete":   w.complete,
			"abort":      w.abort,
			"list":       w.list,
			"versions":   w.listVersions,
		})
	})
}

var (
	bg     = context.Background()
	aKey   = rapid.SampledFrom([]string{"a", "a/", "a/b", "a/c", "a\x00", "b", "ba", "b/x/y"})
	aState = rapid.SampledFrom([]string{index.Enabled, index.Suspended})
)

func ok(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) top(key string) *index.Object {
	if l := w.keys[key]; len(l) > 0 {
		return l[0]
	}
	return nil
}

// condition draws one, and says whether a change of key must be refused.
func (w *world) condition(t *rapid.T, key string) (when index.Condition, code string) {
	top := w.top(key)
	there := top != nil && !top.Marker
	switch rapid.IntRange(0, 7).Draw(t, "condition") {
	case 0:
		if when.IfNoneMatch = true; there {
			code = "PreconditionFailed"
		}
	case 1:
		when.IfMatch = "*"
	case 2:
		when.IfMatch = "e-x"
		if there && top.ETag != "e-x" {
			code = "PreconditionFailed"
		}
	case 3:
		when.Event = &index.Event{Name: "event", Targets: []index.Target{{Queue: "q"}}}
	}
	if when.IfMatch != "" && !there {
		code = "NoSuchKey"
	}
	return when, code
}

// outcome holds an error against the expected code, and reports whether the
// change was made.
func (w *world) outcome(t *rapid.T, err error, code string, when index.Condition) bool {
	t.Helper()
	if fault.CodeOf(err) != code && (err != nil || code != "") {
		t.Fatalf("got %v, want %q", err, code)
	}
	if err == nil && when.Event != nil {
		w.events++
	}
	return err == nil
}

// add puts a version on top, and ends the null version where it must.
func (w *world) add(t *rapid.T, o *index.Object) {
	t.Helper()
	if null := w.versioning != index.Enabled; null != (o.Version == index.Null) {
		t.Fatalf("version %q while versioning is %q", o.Version, w.versioning)
	}
	l := slices.DeleteFunc(w.keys[o.Key], func(v *index.Object) bool { return v.Version == o.Version })
	w.keys[o.Key] = append([]*index.Object{o}, l...)
	for _, p := range o.Pieces {
		w.pieces[p.ID] = true
	}
}

func (w *world) put(t *rapid.T) {
	o := Object(w.bucket, aKey.Draw(t, "key"), rapid.SampledFrom([]string{"x", "yy", "zzz"}).Draw(t, "data"))
	when, code := w.condition(t, o.Key)
	if w.outcome(t, w.x.Put(bg, o, when), code, when) {
		w.add(t, o)
	}
}

func (w *world) delete(t *rapid.T) {
	key := aKey.Draw(t, "key")
	when, code := w.condition(t, key)
	if when.IfNoneMatch {
		return
	}
	top := w.top(key)
	if w.versioning == "" && top == nil {
		when.Event = nil // nothing happens
	}
	d, err := w.x.Delete(bg, w.bucket, key, "", when)
	switch {
	case !w.outcome(t, err, code, when):
	case w.versioning == "":
		delete(w.keys, key)
	default:
		if !d.Marker {
			t.Fatalf("deleted: %+v", d)
		}
		o := &index.Object{Bucket: w.bucket}
		o.Key, o.Version, o.Marker = key, d.Version, true
		w.add(t, o)
	}
}

// aVersion draws a key and one of its versions, or none.
func (w *world) aVersion(t *rapid.T) (string, *index.Object) {
	key := aKey.Draw(t, "key")
	l := w.keys[key]
	if len(l) == 0 {
		return key, nil
	}
	return key, l[rapid.IntRange(0, len(l)-1).Draw(t, "version")]
}

func (w *world) end(t *rapid.T) {
	key, o := w.aVersion(t)
	version := strings.Repeat("0", 16)
	if o != nil {
		version = o.Version
	}
	d, err := w.x.Delete(bg, w.bucket, key, version, index.Condition{})
	ok(t, err)
	if d.Version != version || d.Marker != (o != nil && o.Marker) {
		t.Fatalf("deleted %+v, want %+v", d, o)
	}
	w.keys[key] = slices.DeleteFunc(w.keys[key], func(v *index.Object) bool { return v == o })
}

func (w *world) copy(t *rapid.T) {
	key, from := w.aVersion(t)
	if from == nil || from.Marker {
		return
	}
	o := Object(w.bucket, aKey.Draw(t, "to"), "")
	o.ETag, o.Size, o.Pieces = from.ETag, from.Size, from.Pieces
	pin := &index.Pin{Bucket: w.bucket, Key: key, Version: from.Version, ID: from.ID}
	stale := rapid.Bool().Draw(t, "stale")
	if stale {
		pin.ID = content.NewID()
	}
	err := w.x.Put(bg, o, index.Condition{Pin: pin})
	if stale {
		w.outcome(t, err, index.Moved.Code, index.Condition{})
		return
	}
	ok(t, err)
	w.add(t, o)
}

func (w *world) update(t *rapid.T) {
	key, o := w.aVersion(t)
	if o == nil {
		return
	}
	tag := index.Tag{Key: "t", Value: fmt.Sprint(time.Now().UnixNano())}
	_, err := w.x.Update(bg, w.bucket, key, o.Version, func(o *index.Object) error {
		o.Tags = []index.Tag{tag}
		return nil
	}, index.Condition{})
	ok(t, err)
	o.Tags = []index.Tag{tag}
}

func (w *world) switchVersioning(t *rapid.T) {
	state := aState.Draw(t, "state")
	_, err := w.x.UpdateBucket(bg, w.bucket, func(b *index.Bucket) error { b.Versioning = state; return nil })
	ok(t, err)
	w.versioning = state
}

// check compares each version, the claims, the usage and the events.
func (w *world) check(t *rapid.T) {
	claimed := map[string]bool{}
	var want index.Usage
	for _, u := range w.uploads {
		for _, p := range u.parts {
			claimed[p.Piece.ID] = true
			want.Bytes += p.Size
		}
	}
	for key, l := range w.keys {
		w.checkKey(t, key, l)
		for _, o := range l {
			if !o.Marker {
				want.Objects, want.Bytes = want.Objects+1, want.Bytes+o.Size
			}
			for _, p := range o.Pieces {
				claimed[p.ID] = true
			}
		}
	}
	for id := range w.pieces {
		if got, err := w.x.Claimed(bg, id); err != nil || got != claimed[id] {
			t.Fatalf("piece %s is claimed: %v, want %v; %v", id, got, claimed[id], err)
		}
	}
	if got, err := w.x.Usage(bg, w.bucket); err != nil || got != want {
		t.Fatalf("usage %+v, want %+v; %v", got, want, err)
	}
	events, err := w.x.Events(bg, "q", 0, 1000)
	ok(t, err)
	for _, e := range events {
		if e.Bucket == w.bucket {
			w.events--
		}
		ok(t, w.x.EventsDone(bg, "q", e.Seq))
	}
	if w.events != 0 {
		t.Fatalf("%d events are missing", w.events)
	}
}

func (w *world) checkKey(t *rapid.T, key string, l []*index.Object) {
	t.Helper()
	got, err := w.x.Object(bg, w.bucket, key, "")
	if len(l) == 0 {
		if fault.CodeOf(err) != "NoSuchKey" {
			t.Fatalf("%q: %+v %v", key, got, err)
		}
		return
	}
	ok(t, err)
	if got.Version != l[0].Version {
		t.Fatalf("%q: current is %s, want %s", key, got.Version, l[0].Version)
	}
	for i, o := range l {
		got, err := w.x.Object(bg, w.bucket, key, o.Version)
		ok(t, err)
		if got.ID != o.ID || got.ETag != o.ETag || got.Marker != o.Marker || got.Latest != (i == 0) || !slices.Equal(got.Tags, o.Tags) {
			t.Fatalf("%q: %+v, want %+v", key, got, o)
		}
	}
}
