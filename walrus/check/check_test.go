package check_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"karri/walrus/check"
	"karri/walrus/content"
	"karri/walrus/content/contenttest"
	"karri/walrus/index"
	"karri/walrus/index/indextest"
	"karri/walrus/seal"
)

// A store is what a walrus has.
type store struct {
	*testing.T
	root  string
	files *content.Files
	index *index.Store
	keys  string
	ring  *seal.Ring
}

func open(t *testing.T) *store {
	t.Helper()
	s := &store{T: t, root: t.TempDir(), keys: filepath.Join(t.TempDir(), "keys")}
	var err error
	if s.files, err = content.OpenFiles(s.root, content.FilesOptions{Reserve: 1}); err != nil {
		t.Fatal(err)
	}
	if s.index, err = index.OpenInMemory(); err != nil {
		t.Fatal(err)
	}
	if s.ring, err = seal.OpenRing(s.keys, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = s.index.Close(), s.files.Close() })
	if err := s.index.CreateBucket(t.Context(), &index.Bucket{Name: "pond", Owner: "ann", Versioning: index.Enabled}); err != nil {
		t.Fatal(err)
	}
	return s
}

// put makes an object of pieces of the sizes, sealed or not.
func (s *store) put(key string, sealed bool, sizes ...int) *index.Object {
	s.Helper()
	o := indextest.Object("pond", key, "")
	o.Pieces, o.Size = nil, 0
	data := contenttest.Random(4 << 20)
	var k *seal.Key
	if sealed {
		o.Seal, k = s.ring.New()
	}
	for _, size := range sizes {
		stored := data[:size]
		if sealed {
			stored = k.Seal(stored)
		}
		o.Pieces = append(o.Pieces, index.Piece{ID: contenttest.Put(s, s.files, stored), Size: int64(size)})
		o.Size += int64(size)
	}
	if err := s.index.Put(s.Context(), o, index.Condition{}); err != nil {
		s.Fatal(err)
	}
	return o
}

// run checks and returns what was found, in words.
func (s *store) run(set func(*check.Checker)) (check.Report, []string) {
	s.Helper()
	var found []string
	progress := false
	c := check.Checker{Index: s.index, Content: s.files, Holds: &content.Holds{}, Ring: s.ring, OrphanAge: 1,
		Tell: func(l check.Line) {
			progress = progress || l.Progress != nil
			if f := l.Finding; f != nil {
				found = append(found, fmt.Sprintf("%s %s %v", f.Kind, f.What, f.Mended))
			}
		}}
	if set != nil {
		set(&c)
	}
	r, err := c.Run(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	if int(r.Findings) != len(found) || !progress {
		s.Errorf("%+v for %v, progress %v", r, found, progress)
	}
	return r, found
}

func (s *store) want(set func(*check.Checker), want ...string) {
	s.Helper()
	if _, found := s.run(set); strings.Join(found, "\n") != strings.Join(want, "\n") {
		s.Errorf("found %q, not %q", found, want)
	}
}

func TestAWholeStoreIsWhole(t *testing.T) {
	s := open(t)
	s.put("a", false, 100, 2<<20, 0)
	s.put("a", true, 100_000, 1<<20)
	if _, err := s.index.Delete(t.Context(), "pond", "a", "", index.Condition{}); err != nil {
		t.Fatal(err)
	}
	small := indextest.Object("pond", "small", "few bytes")
	if err := s.index.Put(t.Context(), small, index.Condition{}); err != nil {
		t.Fatal(err)
	}
	u := &index.Upload{Bucket: "pond", Key: "u", ID: "upload"}
	if err := s.index.CreateUpload(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	part := index.Part{Number: 3, Size: 5, Piece: index.Piece{ID: contenttest.Put(t, s.files, []byte("parts")), Size: 5}}
	if err := s.index.PutPart(t.Context(), u, part); err != nil {
		t.Fatal(err)
	}
	for _, quick := range []bool{false, true} {
		r, found := s.run(func(c *check.Checker) { c.Quick = quick })
		if len(found) > 0 || r.Pieces != 7 || r.Bytes != 100+2<<20+100_000+1<<20+9+5 {
			t.Errorf("%+v, %v", r, found)
		}
	}
}

func TestDamageIsFound(t *testing.T) {
	s := open(t)
	kept := s.put("kept", false, 100_000)
	lost := s.put("lost", false, 2<<20)
	if err := s.files.Remove(t.Context(), lost.Pieces[0].ID); err != nil {
		t.Fatal(err)
	}
	bad := s.put("bad", true, 2<<20)
	path := filepath.Join(s.root, "pieces", bad.Pieces[0].ID[:2], bad.Pieces[0].ID)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[70_000] ^= 4
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	orphan := contenttest.Put(t, s.files, []byte("orphan"))
	want := []string{
		"damaged pond/bad version " + bad.Version + " false",
		"missing pond/lost version " + lost.Version + " false",
	}
	s.want(nil, append(want, "orphan "+orphan+" false")...)
	s.want(func(c *check.Checker) { c.OrphanAge = 0 }, want...)
	s.want(func(c *check.Checker) { c.Repair = true }, append(want, "orphan "+orphan+" true")...)
	s.want(func(c *check.Checker) { c.Quick = true }, want[1])
	if _, err := contenttest.Get(t, s.files, kept.Pieces[0].ID, 0, 100_000); err != nil {
		t.Error(err)
	}
}

func TestManyOrphansAreLeft(t *testing.T) {
	s := open(t)
	for range 3 {
		contenttest.Put(t, s.files, []byte("x"))
	}
	if r, _ := s.run(func(c *check.Checker) { c.Repair, c.OrphanMost = true, 2 }); r.Findings != 3 || r.Mended != 0 {
		t.Errorf("%+v", r)
	}
	if r, _ := s.run(func(c *check.Checker) { c.Repair, c.OrphanMost = true, 3 }); r.Mended != 3 {
		t.Errorf("%+v", r)
	}
	s.want(nil)
}

func TestALostMasterKeyIsFound(t *testing.T) {
	s := open(t)
	o := s.put("sealed", true, 10)
	line := "other:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)) + "\n"
	if err := os.WriteFile(s.keys, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ring.Reload(); err != nil {
		t.Fatal(err)
	}
	s.want(nil, "sealed pond/sealed version "+o.Version+" false")
}

// TestWhileOthersWrite finds nothing wrong in a store that changes all the time.
func TestWhileOthersWrite(t *testing.T) {
	s := open(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ctx.Err() == nil; n++ {
			key := fmt.Sprint(n % 20)
			o := s.put(key, false, 40_000)
			if n%3 == 0 {
				if _, err := s.index.Delete(t.Context(), "pond", key, o.Version, index.Condition{}); err != nil {
					t.Error(err)
				}
				if err := s.files.Remove(t.Context(), o.Pieces[0].ID); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	for range 10 {
		if _, found := s.run(func(c *check.Checker) { c.OrphanAge = 0 }); len(found) > 0 {
			t.Errorf("found %v", found)
		}
	}
	stop()
	<-done
}
