package index

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"karri/shared/crash"
)

func bucketRow(name string) []byte { return append([]byte{bucketSpace}, name...) }

func ownerRows(account string) []byte {
	return append(append([]byte{ownerSpace}, account...), 0)
}

// CreateBucket is Buckets's.
func (e *Embedded) CreateBucket(ctx context.Context, b Bucket) error {
	defer e.buckets.alone(b.Name)()
	switch old, err := e.Bucket(ctx, b.Name); {
	case err == nil && old.Owner == b.Owner:
		return BucketYours
	case err == nil:
		return BucketTaken
	case err != NoSuchBucket:
		return err
	}
	c := e.change()
	c.setJSON(bucketRow(b.Name), b)
	c.set(append(ownerRows(b.Owner), b.Name...), nil)
	return e.commit(ctx, c)
}

// Bucket is Buckets's.
func (e *Embedded) Bucket(_ context.Context, name string) (Bucket, error) {
	var b Bucket
	return b, e.getJSON(bucketRow(name), NoSuchBucket, &b)
}

// DeleteBucket is Buckets's.
func (e *Embedded) DeleteBucket(ctx context.Context, name string) error {
	defer e.buckets.alone(name)()
	b, err := e.Bucket(ctx, name)
	if err != nil {
		return err
	}
	empty := true
	err = e.scan(ctx, space(objectSpace, name), func(_, _ []byte) (bool, error) {
		empty = false
		return false, nil
	})
	if err != nil {
		return err
	}
	if !empty {
		return BucketNotEmpty
	}
	c := e.change()
	err = e.scan(ctx, space(uploadSpace, name), func(rest, _ []byte) (bool, error) {
		key, id, err := unescape(rest)
		if err != nil {
			return false, err
		}
		return true, e.endUpload(ctx, c, name, key, string(id))
	})
	if err != nil {
		return err
	}
	c.unset(bucketRow(name))
	c.unset(append(ownerRows(b.Owner), name...))
	crash.Here("walrus.index.bucket-ending")
	return e.commit(ctx, c)
}

// BucketsOf is Buckets's.
func (e *Embedded) BucketsOf(ctx context.Context, account string, q Query) (Listing[Bucket], error) {
	var page Listing[Bucket]
	err := e.scan(ctx, ownerRows(account), func(rest, _ []byte) (bool, error) {
		name := string(rest)
		if !strings.HasPrefix(name, q.Prefix) || name <= q.After {
			return true, nil
		}
		if len(page.Items) == q.Max {
			page.More = true
			return false, nil
		}
		b, err := e.Bucket(ctx, name)
		if err == NoSuchBucket {
			return true, nil // it went while we looked
		}
		page.Items, page.Last = append(page.Items, b), name
		return true, err
	})
	return page, err
}

// Lines is Outbox's.
func (e *Embedded) Lines(ctx context.Context, most int) ([]Line, error) {
	var lines []Line
	err := e.scan(ctx, []byte{lineSpace}, func(rest, value []byte) (bool, error) {
		l, err := decodeLine(rest, value)
		lines = append(lines, l)
		return len(lines) < most, err
	})
	return lines, err
}

func decodeLine(rest, value []byte) (Line, error) {
	var l Line
	if len(rest) != 8 {
		return l, Damaged.Because(errRow)
	}
	for _, b := range rest {
		l.Seq = l.Seq<<8 | uint64(b)
	}
	if err := json.Unmarshal(value, &l); err != nil {
		return l, Damaged.Because(err)
	}
	return l, nil
}

// Line is Outbox's.
func (e *Embedded) Line(_ context.Context, seq uint64) (Line, error) {
	l := Line{Seq: seq}
	return l, e.getJSON(lineRow(seq), NoSuchLine, &l)
}

// Claimed is Outbox's.
func (e *Embedded) Claimed(ctx context.Context, piece string) (bool, error) {
	found := false
	err := e.scan(ctx, claims(piece), func(_, _ []byte) (bool, error) {
		found = true
		return false, nil
	})
	return found, err
}

// Done is Outbox's. It is not synced: a line that comes back after a crash is
// worked off again.
func (e *Embedded) Done(ctx context.Context, seq uint64, inline []string) error {
	c := e.change()
	for _, id := range inline {
		c.unset(inlineRow(id))
	}
	c.unset(lineRow(seq))
	return e.apply(ctx, c, pebble.NoSync)
}
