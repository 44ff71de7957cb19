package mill

import (
	"context"
	"strings"
	"testing"
	"time"

	"karri/shared/life/lifetest"
	"karri/walrus/content"
	"karri/walrus/content/contenttest"
	"karri/walrus/index"
	"karri/walrus/index/indextest"
)

// fused engines pass the fuse around each change that the mill makes.
type fusedContent struct {
	content.Engine
	fuse *lifetest.Fuse
}

func (f fusedContent) Remove(ctx context.Context, id string) (err error) {
	f.fuse.Around(func() { err = f.Engine.Remove(ctx, id) })
	return err
}

type fusedOutbox struct {
	index.Outbox
	fuse *lifetest.Fuse
}

func (f fusedOutbox) Done(ctx context.Context, seq uint64, inline []string) (err error) {
	f.fuse.Around(func() { err = f.Outbox.Done(ctx, seq, inline) })
	return err
}

// pond is a bucket with an object whose bytes are a piece of the engine.
func pond(t testing.TB) (*index.Store, *contenttest.Memory, *index.Object) {
	t.Helper()
	x, err := index.OpenInMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	if err := x.CreateBucket(context.Background(), &index.Bucket{Name: "pond", Owner: "ann"}); err != nil {
		t.Fatal(err)
	}
	bytes := contenttest.NewMemory()
	o := indextest.Object("pond", "k", "")
	o.Pieces = []index.Piece{{ID: contenttest.Put(t, bytes, []byte(strings.Repeat("x", 100))), Size: 100}}
	put(t, x, o)
	return x, bytes, o
}

func put(t testing.TB, x *index.Store, o *index.Object) {
	t.Helper()
	if err := x.Put(context.Background(), o, index.Condition{}); err != nil {
		t.Fatal(err)
	}
}

func pieces(t testing.TB, e content.Engine) int {
	t.Helper()
	n := 0
	if err := e.List(context.Background(), func(content.Info) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheMillDiesEverywhere(t *testing.T) {
	points := lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
		x, bytes, o := pond(t)
		inline := indextest.Object("pond", "small", "few bytes")
		put(t, x, inline)
		copied := indextest.Object("pond", "copy", "")
		copied.Pieces = o.Pieces
		if err := x.Put(context.Background(), copied, index.Condition{Pin: &index.Pin{Bucket: "pond", Key: "k", ID: o.ID}}); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"k", "small", "copy"} {
			if _, err := x.Delete(context.Background(), "pond", key, "", index.Condition{}); err != nil {
				t.Fatal(err)
			}
		}
		m := &Mill{Index: fusedOutbox{x, fuse}, Content: fusedContent{bytes, fuse}, Holds: &content.Holds{}}
		return func() error { return m.Lines().SettleAll(context.Background()) }, func(t testing.TB) {
			if n := pieces(t, bytes); n != 0 {
				t.Errorf("%d pieces left", n)
			}
			if _, err := x.Inline(context.Background(), inline.Pieces[0].ID); err == nil {
				t.Error("inline bytes left")
			}
			if lines, err := x.Lines(context.Background(), 10); err != nil || len(lines) != 0 {
				t.Errorf("lines left: %v %v", lines, err)
			}
		}
	})
	if points < 6 {
		t.Errorf("%d points", points)
	}
}

func TestACopyKeepsTheBytes(t *testing.T) {
	x, bytes, o := pond(t)
	copied := indextest.Object("pond", "copy", "")
	copied.Pieces = o.Pieces
	put(t, x, copied)
	if _, err := x.Delete(t.Context(), "pond", "k", "", index.Condition{}); err != nil {
		t.Fatal(err)
	}
	m := &Mill{Index: x, Content: bytes, Holds: &content.Holds{}}
	if err := m.Lines().SettleAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pieces(t, bytes) != 1 {
		t.Error("the copy has lost its bytes")
	}
}

func TestWhatIsReadStays(t *testing.T) {
	x, bytes, o := pond(t)
	m := &Mill{Index: x, Content: bytes, Holds: &content.Holds{}}
	release := m.Holds.Hold(o.Pieces[0].ID)
	if _, err := x.Delete(t.Context(), "pond", "k", "", index.Condition{}); err != nil {
		t.Fatal(err)
	}
	settle := func() {
		t.Helper()
		if err := m.Lines().SettleAll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	settle()
	if n, err := m.Orphans(t.Context(), time.Now().Add(time.Hour)); n != 0 || err != nil || pieces(t, bytes) != 1 {
		t.Errorf("%d removed while it is read, %v", n, err)
	}
	release()
	release() // twice is as once
	settle()
	if pieces(t, bytes) != 0 {
		t.Error("it was left when nobody read it any more")
	}
}

func TestOrphans(t *testing.T) {
	x, bytes, _ := pond(t)
	u := &index.Upload{Bucket: "pond", Key: "k", ID: "up"}
	if err := x.CreateUpload(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	part := contenttest.Put(t, bytes, []byte("of an open upload"))
	if err := x.PutPart(t.Context(), u, index.Part{Number: 1, Piece: index.Piece{ID: part}}); err != nil {
		t.Fatal(err)
	}
	contenttest.Put(t, bytes, []byte("put that died before its row"))
	m := &Mill{Index: x, Content: bytes, Holds: &content.Holds{}}
	if n, err := m.Orphans(t.Context(), time.Now()); n != 0 || err != nil {
		t.Errorf("%d young ones removed, %v", n, err)
	}
	if n, err := m.Orphans(t.Context(), time.Now().Add(2*time.Hour)); n != 1 || err != nil || pieces(t, bytes) != 2 {
		t.Errorf("%d removed, %d left, %v", n, pieces(t, bytes), err)
	}
}

func TestOrphansAreLeftWhenThereAreTooMany(t *testing.T) {
	x, bytes, _ := pond(t)
	for range 5 {
		contenttest.Put(t, bytes, []byte("newer than the index"))
	}
	m := &Mill{Index: x, Content: bytes, Holds: &content.Holds{}, OrphanMost: 4}
	if n, err := m.Orphans(t.Context(), time.Now().Add(2*time.Hour)); n != 0 || err != error(TooManyOrphans) || pieces(t, bytes) != 6 {
		t.Errorf("%d removed, %d left, %v", n, pieces(t, bytes), err)
	}
}
