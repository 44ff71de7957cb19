package index

import (
	"context"
	"encoding/json"

	"karri/shared/crash"
)

// CreateUpload is Uploads's.
func (e *Embedded) CreateUpload(ctx context.Context, u *Upload) error {
	defer e.buckets.share(u.Bucket)()
	if _, err := e.Bucket(ctx, u.Bucket); err != nil {
		return err
	}
	c := e.change()
	c.setJSON(uploadRow(u.Bucket, u.Key, u.ID), u)
	return e.commit(ctx, c)
}

// Upload is Uploads's.
func (e *Embedded) Upload(_ context.Context, bucket, key, id string) (*Upload, error) {
	u := &Upload{Bucket: bucket, Key: key, ID: id}
	if err := e.getJSON(uploadRow(bucket, key, id), NoSuchUpload, u); err != nil {
		return nil, err
	}
	return u, nil
}

func (e *Embedded) part(upload string, number int) (*Part, error) {
	p := &Part{}
	if err := e.getJSON(partRow(upload, number), InvalidPart, p); err != nil {
		return nil, err
	}
	return p, nil
}

// PutPart is Uploads's.
func (e *Embedded) PutPart(ctx context.Context, u *Upload, p Part) error {
	defer e.buckets.share(u.Bucket)()
	defer e.uploads.share(u.ID)()
	holder := partHolder(u.ID, p.Number)
	defer e.keys.lock(holder)()
	if _, err := e.Upload(ctx, u.Bucket, u.Key, u.ID); err != nil {
		return err
	}
	c := e.change()
	switch old, err := e.part(u.ID, p.Number); {
	case err == nil:
		c.disclaim(old.Piece, holder)
	case err != InvalidPart:
		_ = c.Close()
		return err
	}
	c.claim(p.Piece, holder)
	c.setJSON(partRow(u.ID, p.Number), p)
	crash.Here("walrus.index.part")
	return e.commit(ctx, c)
}

// Parts is Uploads's.
func (e *Embedded) Parts(ctx context.Context, uploadID string, above, most int) (parts []Part, more bool, err error) {
	err = e.scan(ctx, partRows(uploadID), func(_, value []byte) (bool, error) {
		var p Part
		if err := json.Unmarshal(value, &p); err != nil {
			return false, Damaged.Because(err)
		}
		if p.Number <= above {
			return true, nil
		}
		if most > 0 && len(parts) == most {
			more = true
			return false, nil
		}
		parts = append(parts, p)
		return true, nil
	})
	return parts, more, err
}

// Complete is Uploads's.
func (e *Embedded) Complete(ctx context.Context, u *Upload, parts []Part, o *Object, when Condition) error {
	defer e.buckets.share(o.Bucket)()
	defer e.uploads.alone(u.ID)()
	defer e.keys.lock(keyName(o.Bucket, o.Key))()
	if _, err := e.Upload(ctx, u.Bucket, u.Key, u.ID); err != nil {
		return err
	}
	for _, p := range parts {
		now, err := e.part(u.ID, p.Number)
		if err != nil {
			return err
		}
		if now.Piece.ID != p.Piece.ID {
			return InvalidPart
		}
	}
	c := e.change()
	err := e.replace(ctx, c, o, when)
	if err == nil {
		err = e.endUpload(ctx, c, u.Bucket, u.Key, u.ID)
	}
	if err != nil {
		_ = c.Close()
		return err
	}
	crash.Here("walrus.index.complete")
	return e.commit(ctx, c)
}

// endUpload adds to c that an upload and its parts are gone. The mill finds the
// pieces that an object has taken over to be claimed, and leaves them.
func (e *Embedded) endUpload(ctx context.Context, c *change, bucket, key, id string) error {
	parts, _, err := e.Parts(ctx, id, 0, 0)
	if err != nil {
		return err
	}
	for _, p := range parts {
		c.disclaim(p.Piece, partHolder(id, p.Number))
		c.unset(partRow(id, p.Number))
	}
	c.unset(uploadRow(bucket, key, id))
	return nil
}

// Abort is Uploads's.
func (e *Embedded) Abort(ctx context.Context, bucket, key, id string) error {
	defer e.buckets.share(bucket)()
	defer e.uploads.alone(id)()
	if _, err := e.Upload(ctx, bucket, key, id); err != nil {
		return err
	}
	c := e.change()
	if err := e.endUpload(ctx, c, bucket, key, id); err != nil {
		_ = c.Close()
		return err
	}
	crash.Here("walrus.index.abort")
	return e.commit(ctx, c)
}

// Uploads is Uploads's.
func (e *Embedded) Uploads(ctx context.Context, bucket string, q Query) (Listing[Upload], error) {
	var page Listing[Upload]
	if _, err := e.Bucket(ctx, bucket); err != nil {
		return page, err
	}
	s := scanner{space: space(uploadSpace, bucket), query: q, item: func(key string, suffix, value []byte) error {
		u := Upload{Bucket: bucket, Key: key, ID: string(suffix)}
		if err := json.Unmarshal(value, &u); err != nil {
			return Damaged.Because(err)
		}
		page.Items = append(page.Items, u)
		return nil
	}}
	err := s.run(ctx, e.db)
	page.Prefixes, page.More, page.Last = s.prefixes, s.more, s.last
	return page, err
}
