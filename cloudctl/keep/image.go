package keep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"karri/cloudctl/ec2"
	"karri/cloudctl/store"
	"karri/shared/bucket"
	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/id"
	disk "karri/shared/image"
	"karri/shared/life"
	"karri/shared/wire"
)

// image is all that is known of one.
type image struct {
	row  *store.Image
	used int // instances that may still need its bytes
}

// Images is the loop over images. The user's object is copied into a bucket of
// the cloud's own, and what is hashed and inspected is the copy: later changes
// of the object are nobody's concern.
func (k *Keeper) Images() life.Kind[image] {
	return life.Kind[image]{
		Name: "image",
		List: list(k, (*store.Tx).UnsettledImages, func(i *store.Image) string { return string(i.ID) }),
		Look: k.lookImage,
		Next: k.nextImage,
	}
}

func (k *Keeper) lookImage(ctx context.Context, name string) (t image, err error) {
	err = k.Store.View(ctx, func(tx *store.Tx) error {
		if t.row, err = tx.ImageRow(id.Image(name)); err != nil {
			t.row = nil
			if fault.KindOf(err) == fault.Missing {
				return nil
			}
			return err
		}
		t.used, err = tx.InstancesUsing(t.row.ID)
		return err
	})
	return t, err
}

func (k *Keeper) nextImage(t image) *life.Step[image] {
	i := t.row
	switch {
	case i == nil:
		return nil
	case i.Want == wire.Gone && t.used > 0:
		return life.Wait[image]("%d instances that were made from it", t.used)
	case i.Want == wire.Gone:
		return &life.Step[image]{Name: "remove", Do: k.removeImage}
	case i.SHA256 != "" || i.Failure != "":
		return nil
	case !i.Copied:
		return &life.Step[image]{Name: "copy", Do: k.copyImage}
	}
	return &life.Step[image]{Name: "hash", Do: k.hashImage}
}

// copyImage pins the version that was inspected. A copy that was made before a
// crash is made again; it is a few bytes of index when walrus shares them.
func (k *Keeper) copyImage(ctx context.Context, t image) error {
	i := t.row
	from, to := bucket.Ref{Bucket: i.Bucket, Key: i.Key}, bucket.Ref{Bucket: ec2.ImageBucket, Key: string(i.ID)}
	mine := k.Buckets.For(i.Account)
	o, err := mine.Head(ctx, from.Bucket, from.Key)
	if kind := fault.KindOf(err); err != nil && (kind == fault.Missing || kind == fault.Denied) {
		return k.failImage(ctx, t, "The object can no longer be read.")
	}
	if err != nil {
		return err
	}
	if o.ETag != i.ETag || o.Size != i.Bytes {
		return k.failImage(ctx, t, "The object was changed while it was being registered.")
	}
	if err := k.Buckets.Make(ctx, to.Bucket); err != nil {
		return err
	}
	if _, err := mine.Copy(ctx, from, to); err != nil {
		return err
	}
	crash.Here("image.copied")
	return k.changeImage(ctx, t, func(i *store.Image) { i.Copied = true })
}

// hashImage reads the copy once, for its digest and, again, for what it is.
func (k *Keeper) hashImage(ctx context.Context, t image) error {
	r, o, err := k.Buckets.Get(ctx, ec2.ImageBucket, string(t.row.ID), 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	header, n, err := digest(h, r)
	if err != nil || n != o.Size {
		return fault.New(fault.Later, "Unavailable", "The copy of image %s could not be read whole.", t.row.ID).Because(err)
	}
	format, size, err := disk.Inspect(header, n)
	if err != nil {
		return k.failImage(ctx, t, fault.Of(err).Text)
	}
	return k.changeImage(ctx, t, func(i *store.Image) {
		i.Format, i.Bytes, i.GiB, i.SHA256 = string(format), n, ec2.GiB(size), hex.EncodeToString(h.Sum(nil))
	})
}

// digest reads all of r into h and returns the first bytes and the length.
func digest(h hash.Hash, r io.Reader) (header []byte, n int64, err error) {
	header = make([]byte, disk.HeaderBytes)
	got, err := io.ReadFull(r, header)
	header = header[:got]
	h.Write(header)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return header, int64(got), nil
	}
	if err != nil {
		return nil, 0, err
	}
	rest, err := io.Copy(h, r)
	return header, int64(got) + rest, err
}

func (k *Keeper) failImage(ctx context.Context, t image, why string) error {
	return k.changeImage(ctx, t, func(i *store.Image) { i.Failure = why })
}

func (k *Keeper) changeImage(ctx context.Context, t image, do func(*store.Image)) error {
	return k.write(ctx, func(tx *store.Tx) error {
		i, err := tx.ImageRow(t.row.ID)
		if err != nil {
			return err
		}
		do(i)
		return tx.Put(i)
	})
}

func (k *Keeper) removeImage(ctx context.Context, t image) error {
	if err := k.Buckets.Delete(ctx, ec2.ImageBucket, string(t.row.ID)); err != nil && fault.CodeOf(err) != bucket.NoSuchBucket.Code {
		return fmt.Errorf("remove the copy: %w", err)
	}
	crash.Here("image.removed")
	return k.write(ctx, func(tx *store.Tx) error { return tx.Drop(t.row) })
}
