package indextest

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"karri/walrus/index"
)

func (w *world) upload(t *rapid.T) {
	id := fmt.Sprintf("%s-%d", w.bucket, len(w.uploads))
	u := &index.Upload{Bucket: w.bucket, Key: aKey.Draw(t, "key"), ID: id, Account: "ann"}
	ok(t, w.x.CreateUpload(bg, u))
	w.uploads[id] = &open{u, map[int]index.Part{}}
}

// anUpload draws one that is open, or ended with key "".
func (w *world) anUpload(t *rapid.T) *open {
	if len(w.uploads) == 0 {
		return nil
	}
	n := rapid.IntRange(0, len(w.uploads)-1).Draw(t, "upload")
	return w.uploads[fmt.Sprintf("%s-%d", w.bucket, n)]
}

func (w *world) part(t *rapid.T) {
	u := w.anUpload(t)
	if u == nil {
		return
	}
	p := part(rapid.IntRange(1, 3).Draw(t, "number"), "part")
	code := ""
	if u.parts == nil {
		code = "NoSuchUpload"
	}
	if w.outcome(t, w.x.PutPart(bg, u.Upload, p), code, index.Condition{}) {
		u.parts[p.Number], w.pieces[p.Piece.ID] = p, true
	}
}

func (w *world) complete(t *rapid.T) {
	u := w.anUpload(t)
	if u == nil {
		return
	}
	o := Object(w.bucket, u.Key, "")
	o.Size, o.Pieces, o.Upload = 0, nil, u.ID
	var parts []index.Part
	for n := 1; n <= 3; n++ {
		if p, ok := u.parts[n]; ok {
			parts = append(parts, p)
			o.Pieces, o.Size = append(o.Pieces, p.Piece), o.Size+p.Size
		}
	}
	when, code := w.condition(t, u.Key)
	if u.parts == nil {
		code = "NoSuchUpload"
	}
	if w.outcome(t, w.x.Complete(bg, u.Upload, parts, o, when), code, when) {
		u.parts = nil
		w.add(t, o)
	}
}

func (w *world) abort(t *rapid.T) {
	u := w.anUpload(t)
	if u == nil {
		return
	}
	code := ""
	if u.parts == nil {
		code = "NoSuchUpload"
	}
	if w.outcome(t, w.x.Abort(bg, w.bucket, u.Key, u.ID), code, index.Condition{}) {
		u.parts = nil
	}
}

// aQuery draws one that shows everything, page by page.
func aQuery(t *rapid.T) index.Query {
	return index.Query{
		Prefix:    rapid.SampledFrom([]string{"", "", "a", "a/", "b"}).Draw(t, "prefix"),
		Delimiter: rapid.SampledFrom([]string{"", "/", "\x00"}).Draw(t, "delimiter"),
		Max:       rapid.IntRange(1, 4).Draw(t, "max"),
	}
}

// shown returns what of the versions that pass a query shows, in order, each
// with a word, and each common prefix once.
func (w *world) shown(q index.Query, pass func(*index.Object, bool) string) []string {
	var keys, words []string
	for key := range w.keys {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		rest, within := strings.CutPrefix(key, q.Prefix)
		if !within {
			continue
		}
		for i, o := range w.keys[key] {
			word := pass(o, i == 0)
			if n := strings.Index(rest, q.Delimiter); word != "" && q.Delimiter != "" && n >= 0 {
				word = "prefix " + q.Prefix + rest[:n+1]
			}
			if word != "" && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	slices.Sort(words)
	return words
}

func (w *world) list(t *rapid.T) {
	q := aQuery(t)
	want := w.shown(q, func(o *index.Object, latest bool) string {
		if !latest || o.Marker {
			return ""
		}
		return o.Key + " " + o.ETag + " " + o.Version
	})
	w.pages(t, q, want, func(q index.Query) (index.Listing[index.Entry], error) { return w.x.List(bg, w.bucket, q) },
		func(e index.Entry) string { return e.Key + " " + e.ETag + " " + e.Version })
}

func (w *world) listVersions(t *rapid.T) {
	q := aQuery(t)
	show := func(e index.Entry, latest bool) string {
		return fmt.Sprintf("%s %s %s %v %v", e.Key, e.ETag, e.Version, e.Marker, latest)
	}
	want := w.shown(q, func(o *index.Object, latest bool) string { return show(o.Entry, latest) })
	last := ""
	w.pages(t, q, want, func(q index.Query) (index.Listing[index.Entry], error) { return w.x.Versions(bg, w.bucket, q) },
		func(e index.Entry) string {
			if last == e.Key && e.Latest {
				t.Fatalf("%q has two that are the latest", e.Key)
			}
			last = e.Key
			return show(e, e.Latest)
		})
	w.order(t)
}

// order holds the order of the rows against the model's.
func (w *world) order(t *rapid.T) {
	page, err := w.x.Versions(bg, w.bucket, index.Query{Max: 1000})
	ok(t, err)
	got := map[string][]string{}
	for i, e := range page.Items {
		if i > 0 && e.Key < page.Items[i-1].Key {
			t.Fatalf("%q after %q", e.Key, page.Items[i-1].Key)
		}
		got[e.Key] = append(got[e.Key], e.Version)
	}
	for key, l := range w.keys {
		var want []string
		for _, o := range l {
			want = append(want, o.Version)
		}
		if !slices.Equal(got[key], want) {
			t.Fatalf("%q: versions %q, want %q", key, got[key], want)
		}
	}
}

func (w *world) pages(t *rapid.T, q index.Query, want []string, ask func(index.Query) (index.Listing[index.Entry], error), show func(index.Entry) string) {
	t.Helper()
	var got []string
	for {
		page, err := ask(q)
		ok(t, err)
		if n := len(page.Items) + len(page.Prefixes); n > q.Max || page.More && n != q.Max {
			t.Fatalf("a page of %d, max %d, more %v", n, q.Max, page.More)
		}
		for _, e := range page.Items {
			got = append(got, show(e))
		}
		for _, p := range page.Prefixes {
			got = append(got, "prefix "+p)
		}
		if !page.More {
			break
		}
		q.After, q.AfterID = page.Last, page.LastID
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("%+v: got\n%q\nwant\n%q", q, got, want)
	}
}
