package indextest

import (
	"context"
	"slices"
	"testing"
	"time"

	"karri/walrus/content"
	"karri/walrus/index"
)

func upload(t testing.TB, x index.Index, bucket, key, id string) *index.Upload {
	t.Helper()
	u := &index.Upload{Bucket: bucket, Key: key, ID: id, Initiated: time.Now().UTC(), Account: "ann"}
	must(t, x.CreateUpload(context.Background(), u))
	return u
}

func part(number int, data string) index.Part {
	return index.Part{Number: number, Size: int64(len(data)), ETag: data, Piece: index.Piece{ID: content.NewID(), Size: int64(len(data)), Inline: true, Part: number, Data: []byte(data)}}
}

func uploads(t *testing.T, x index.Index) {
	ctx := t.Context()
	makeBucket(t, x, "b", "ann")
	u := upload(t, x, "b", "k", "up1")
	_, err := x.Upload(ctx, "b", "other", "up1")
	wantCode(t, err, "NoSuchUpload")
	one, two, three := part(1, "one"), part(2, "two"), part(3, "three")
	for _, p := range []index.Part{three, one, part(2, "old"), two} {
		must(t, x.PutPart(ctx, u, p))
	}
	parts, more, err := x.Parts(ctx, u.ID, 1, 1)
	if must(t, err); len(parts) != 1 || parts[0].Number != 2 || parts[0].ETag != "two" || !more {
		t.Errorf("parts: %+v %v", parts, more)
	}
	o := Object("b", "k", "")
	o.Pieces = []index.Piece{one.Piece, two.Piece}
	stale := part(2, "two")
	wantCode(t, x.Complete(ctx, u, []index.Part{one, stale}, o, index.Condition{}), "InvalidPart")
	must(t, x.Complete(ctx, u, []index.Part{one, two}, o, index.Condition{}))
	if !claimed(t, x, one.Piece.ID) || !claimed(t, x, two.Piece.ID) || claimed(t, x, three.Piece.ID) {
		t.Error("wrong claims after completion")
	}
	data, err := x.Inline(ctx, two.Piece.ID)
	if must(t, err); string(data) != "two" {
		t.Errorf("inline: %q", data)
	}
	wantCode(t, x.PutPart(ctx, u, one), "NoSuchUpload")
	wantCode(t, x.Abort(ctx, "b", "k", u.ID), "NoSuchUpload")
	if parts, _, _ := x.Parts(ctx, u.ID, 0, 0); len(parts) != 0 {
		t.Errorf("left: %+v", parts)
	}
	v := upload(t, x, "b", "k", "up2")
	must(t, x.PutPart(ctx, v, part(1, "gone")))
	upload(t, x, "b", "k", "up3")
	upload(t, x, "b", "dir/a", "up4")
	upload(t, x, "b", "dir/b", "up5")
	page, err := x.Uploads(ctx, "b", index.Query{Delimiter: "/", Max: 2})
	if must(t, err); len(page.Items) != 1 || page.Items[0].ID != "up2" || !slices.Equal(page.Prefixes, []string{"dir/"}) || !page.More {
		t.Errorf("uploads: %+v", page)
	}
	page, err = x.Uploads(ctx, "b", index.Query{After: "k", AfterID: "up2", Max: 2})
	if must(t, err); len(page.Items) != 1 || page.Items[0].ID != "up3" {
		t.Errorf("uploads: %+v", page)
	}
	must(t, x.Abort(ctx, "b", "k", "up2"))
	must(t, remove(x, "b", "k", index.Condition{}))
	must(t, x.DeleteBucket(ctx, "b")) // the other uploads end with it
	_, err = x.Upload(ctx, "b", "k", "up3")
	wantCode(t, err, "NoSuchUpload")
}
