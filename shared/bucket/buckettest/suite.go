package buckettest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"karri/shared/bucket"
	"karri/shared/fault"
)

// A World is a store under test, and the user's side of it.
type World struct {
	Store   bucket.Store
	UserPut func(account, bucket, key string, data []byte)
}

const (
	ann = "111111111111"
	bob = "222222222222"
	sys = "karri-suite"
)

// Suite runs what every bucket.Store must pass. Each part gets a fresh world.
func Suite(t *testing.T, fresh func(t *testing.T) World) {
	for name, part := range map[string]func(*testing.T, World){
		"objects are whole and come back": objects,
		"ranges":                          ranges,
		"wrong sizes store nothing":       sizes,
		"lists are ordered and paged":     lists,
		"copies stand alone":              copies,
		"a user's rights":                 rights,
		"odd keys":                        keys,
		"whose buckets there are":         buckets,
	} {
		t.Run(name, func(t *testing.T) {
			w := fresh(t)
			must(t, w.Store.Make(t.Context(), sys))
			part(t, w)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code {
		t.Errorf("got error %v, want %s", err, code)
	}
}

func put(t *testing.T, s bucket.Store, key, data string) {
	t.Helper()
	o, err := s.Put(t.Context(), sys, key, strings.NewReader(data), int64(len(data)))
	must(t, err)
	if o.Size != int64(len(data)) || o.Key != key || o.ETag == "" {
		t.Errorf("put %q: %+v", key, o)
	}
}

func get(t *testing.T, s bucket.Store, name, key string, off, n int64) string {
	t.Helper()
	r, _, err := s.Get(t.Context(), name, key, off, n)
	must(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	must(t, err)
	return string(data)
}

func objects(t *testing.T, w World) {
	s, ctx := w.Store, t.Context()
	must(t, s.Make(ctx, sys)) // twice is as once
	_, err := s.Head(ctx, sys, "a")
	wantCode(t, err, "NoSuchKey")
	_, _, err = s.Get(ctx, sys, "a", 0, -1)
	wantCode(t, err, "NoSuchKey")
	_, err = s.Put(ctx, "karri-none", "a", strings.NewReader("x"), 1)
	wantCode(t, err, "NoSuchBucket")
	put(t, s, "a", "one")
	put(t, s, "a", "other")
	if got := get(t, s, sys, "a", 0, -1); got != "other" {
		t.Errorf("got %q", got)
	}
	put(t, s, "empty", "")
	if got := get(t, s, sys, "empty", 0, -1); got != "" {
		t.Errorf("got %q", got)
	}
	o, err := s.Head(ctx, sys, "a")
	must(t, err)
	if o.Size != 5 || o.Key != "a" || o.Modified.IsZero() || strings.Contains(o.ETag, `"`) {
		t.Errorf("head: %+v", o)
	}
	must(t, s.Delete(ctx, sys, "a"))
	must(t, s.Delete(ctx, sys, "a"))
	_, err = s.Head(ctx, sys, "a")
	wantCode(t, err, "NoSuchKey")
}

func ranges(t *testing.T, w World) {
	big := make([]byte, 3<<20+17)
	for i := range big {
		big[i] = byte(i * 7 >> 3)
	}
	put(t, w.Store, "big", string(big))
	for _, c := range [][2]int64{{0, 1}, {5, 10}, {1<<20 - 1, 2}, {3 << 20, -1}, {3<<20 + 16, 1}, {3 << 20, 1 << 30}, {0, -1}} {
		end := int64(len(big))
		if c[1] >= 0 {
			end = min(end, c[0]+c[1])
		}
		if got := get(t, w.Store, sys, "big", c[0], c[1]); !bytes.Equal([]byte(got), big[c[0]:end]) {
			t.Errorf("range %v: %d bytes differ", c, len(got))
		}
	}
	_, _, err := w.Store.Get(t.Context(), sys, "big", int64(len(big)), 1)
	wantCode(t, err, "InvalidRange")
}

func sizes(t *testing.T, w World) {
	_, err := w.Store.Put(t.Context(), sys, "k", strings.NewReader("abc"), 4)
	wantCode(t, err, "IncompleteBody")
	_, err = w.Store.Put(t.Context(), sys, "k", strings.NewReader("abcde"), 4)
	wantCode(t, err, "IncompleteBody")
	_, err = w.Store.Head(t.Context(), sys, "k")
	wantCode(t, err, "NoSuchKey")
}

func lists(t *testing.T, w World) {
	var want []string
	for i := range 25 {
		key := fmt.Sprintf("chunk/%03d", i)
		put(t, w.Store, key, key)
		want = append(want, key)
	}
	put(t, w.Store, "aside", "x")
	put(t, w.Store, "zoo", "x")
	var got []string
	after := ""
	for {
		page, err := w.Store.List(t.Context(), sys, "chunk/", after, 10)
		must(t, err)
		for _, o := range page.Objects {
			got = append(got, o.Key)
			if o.Size != int64(len(o.Key)) {
				t.Errorf("%s: size %d", o.Key, o.Size)
			}
		}
		if !page.More {
			break
		}
		after = got[len(got)-1]
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v", got)
	}
	_, err := w.Store.List(t.Context(), "karri-none", "", "", 0)
	wantCode(t, err, "NoSuchBucket")
}

func copies(t *testing.T, w World) {
	s, ctx := w.Store, t.Context()
	for _, data := range []string{"small", strings.Repeat("large", 100_000)} {
		put(t, s, "from", data)
		o, err := s.Copy(ctx, bucket.Ref{Bucket: sys, Key: "from"}, bucket.Ref{Bucket: sys, Key: "to"})
		must(t, err)
		if o.Size != int64(len(data)) || o.Key != "to" {
			t.Errorf("copy: %+v", o)
		}
		put(t, s, "from", "changed")
		must(t, s.Delete(ctx, sys, "from"))
		if got := get(t, s, sys, "to", 0, -1); got != data {
			t.Errorf("the copy has %d bytes, want %d", len(got), len(data))
		}
	}
	_, err := s.Copy(ctx, bucket.Ref{Bucket: sys, Key: "none"}, bucket.Ref{Bucket: sys, Key: "to"})
	wantCode(t, err, "NoSuchKey")
}

func rights(t *testing.T, w World) {
	ctx := t.Context()
	w.UserPut(ann, "anns-bucket", "disk.img", []byte("her bytes"))
	put(t, w.Store, "secret", "ours")
	a, b := w.Store.For(ann), w.Store.For(bob)
	if got := get(t, a, "anns-bucket", "disk.img", 4, -1); got != "bytes" {
		t.Errorf("got %q", got)
	}
	_, err := b.Head(ctx, "anns-bucket", "disk.img")
	wantCode(t, err, "AccessDenied")
	_, _, err = a.Get(ctx, sys, "secret", 0, -1)
	wantCode(t, err, "AccessDenied")
	_, err = a.Put(ctx, "anns-bucket", "x", strings.NewReader("x"), 1)
	wantCode(t, err, "AccessDenied")
	wantCode(t, a.Delete(ctx, "anns-bucket", "disk.img"), "AccessDenied")
	from, to := bucket.Ref{Bucket: "anns-bucket", Key: "disk.img"}, bucket.Ref{Bucket: sys, Key: "ami-1"}
	_, err = b.Copy(ctx, from, to)
	wantCode(t, err, "AccessDenied")
	_, err = a.Copy(ctx, from, to)
	must(t, err)
	if got := get(t, w.Store, sys, "ami-1", 0, -1); got != "her bytes" {
		t.Errorf("got %q", got)
	}
	wantCode(t, w.Store.Make(ctx, "not-ours"), "AccessDenied")
}

func buckets(t *testing.T, w World) {
	w.UserPut(ann, "pond", "fish", []byte("x"))
	w.UserPut(ann, "lake", "fish", []byte("x"))
	for account, want := range map[string]string{ann: "[lake pond]", bob: "[]", "": "[karri-suite]"} {
		s := w.Store
		if account != "" {
			s = s.For(account)
		}
		got, err := s.Buckets(t.Context())
		must(t, err)
		if fmt.Sprint(got) != want {
			t.Errorf("account %q has %v, want %s", account, got, want)
		}
	}
}

func keys(t *testing.T, w World) {
	for _, key := range []string{"a//b", "../x", "a/../b", "%2F", "a b+c", "ü/日本", "end/", "?q=1&r", "a#b", ".", "..", strings.Repeat("k", 1024)} {
		put(t, w.Store, key, key)
		if got := get(t, w.Store, sys, key, 0, -1); got != key {
			t.Errorf("key %q: got %q", key, got)
		}
		page, err := w.Store.List(t.Context(), sys, key, "", 1)
		must(t, err)
		if len(page.Objects) != 1 || page.Objects[0].Key != key {
			t.Errorf("list %q: %+v", key, page)
		}
		must(t, w.Store.Delete(t.Context(), sys, key))
	}
}
